import { bars, timeOf } from '../../../testing/samples';
import { splitFactor, splitsOf, tradedBars } from './actions';
import type { CorporateAction } from '../api/api-types';

const action = (kind: CorporateAction['kind'], ex_date: string, ratio: number | null): CorporateAction => ({
  symbol: 'AAPL', kind, ex_date, ratio, amount: null, currency: null, source: 'yahoo', revision: 0, recorded_at: '2012-01-01T00:00:00Z',
});

describe('corporate actions', () => {
  const splits = splitsOf([action('SPLIT', '2012-01-05', 2), action('DIVIDEND', '2012-01-04', null), action('SPLIT', '2012-01-03', 3)]);

  it('count splits alone, by date', () => {
    expect(splits).toEqual([{ date: '2012-01-03', ratio: 3 }, { date: '2012-01-05', ratio: 2 }]);
  });

  it('say how many shares one has become between two closes', () => {
    expect(splitFactor(splits, timeOf(2), timeOf(6))).toBe(6);
    expect(splitFactor(splits, timeOf(3), timeOf(4))).toBe(1);
    expect(splitFactor(splits, timeOf(4), timeOf(5))).toBe(2);
  });

  it('turn adjusted bars into those that were traded', () => {
    const traded = tradedBars(bars(4, 6), splits);
    expect(traded.map(({ open }) => open)).toEqual([200, 100, 100]);
    expect(traded.map(({ volume }) => volume)).toEqual([500, 1000, 1000]);
  });

  it('leave bars alone that no split touched', () => {
    const held = bars(4, 6);
    expect(tradedBars(held, [])).toBe(held);
  });
});
