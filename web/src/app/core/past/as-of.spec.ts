import { promotion } from '../../../testing/models';
import { bar, bars } from '../../../testing/samples';
import { championAt, dayOf, endOf, sinceOf } from './as-of';

describe('as of a moment', () => {
  const moves = [
    promotion({ version: '9', decided_at: '2012-03-01T21:00:00Z' }),
    promotion({ alias: 'arima', version: '7', decided_at: '2012-02-01T21:00:00Z' }),
    promotion({ version: '4', decided_at: '2012-01-03T21:00:00Z' }),
  ];

  it('the champion is the last one promoted by then', () => {
    expect(championAt(moves, '2012-03-02T00:00:00Z')?.version).toBe('9');
    expect(championAt(moves, '2012-02-28T00:00:00Z')?.version).toBe('4');
    expect(championAt(moves, '2012-01-01T00:00:00Z')).toBeNull();
  });

  it('what came after is in the share terms of then', () => {
    const since = sinceOf(bars(1, 3), [bar(3), bar(4), bar(5, { close: 50 })], [{ date: '2012-01-05', ratio: 2 }]);
    expect(since.map(({ close }) => close)).toEqual([104, 100]);
    expect(sinceOf([], bars(1, 3), [])).toEqual([]);
  });

  it('a day is known to its end', () => {
    expect(endOf(dayOf(Date.UTC(2012, 2, 5, 21) / 1000))).toBe('2012-03-05T23:59:59Z');
  });
});
