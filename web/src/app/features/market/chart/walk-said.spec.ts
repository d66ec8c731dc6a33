import { closedAt, forecast, timeOf } from '../../../../testing/samples';
import { fanOf } from '../../../core/forecasts/forecasts';
import { type WalkFacts, walkSaid } from './walk-said';

const date = (time: number) => new Date(time * 1000).toISOString().slice(0, 10);
const facts: WalkFacts = {
  originAt: closedAt(3), fans: [fanOf(forecast(3))], failed: false, furthest: 9, oldest: timeOf(1), firstPromotion: closedAt(2),
  closes: new Map([[timeOf(4), 100], [timeOf(5), 200]]),
};

describe('walking back', () => {
  it.each<[string, Partial<WalkFacts>, string]>([
    ['the newest forecast', { originAt: null }, 'the newest forecast'],
    ['how a past one did', {}, '2012-01-03: ARIMA, of 2 closes since 1 inside 80 %, 1 inside 95 %'],
    ['one under way', { fans: null }, '2012-01-03: reading …'],
    ['one that failed', { fans: null, failed: true }, '2012-01-03: could not be read'],
    ['that nothing was said', { fans: [] }, '2012-01-03: nothing was forecast at this close'],
    ['where forecasts begin', { fans: [], firstPromotion: closedAt(8) }, '2012-01-03: no forecasts before 2012-01-08'],
    ['that there is nowhere to go', { originAt: null, furthest: 0 }, 'no bars before 2012-01-01'],
    ['that there is nothing at all', { originAt: null, furthest: 0, oldest: null }, 'no bars to walk back through'],
  ])('says %s', (_situation, changes, words) => {
    expect(walkSaid({ ...facts, ...changes }, date, date)).toBe(words);
  });
});
