import { bar, bars, forecast, timeOf } from '../../testing/samples';
import { fanOf } from '../core/forecasts/forecasts';
import { commonOrigin, nextSessions } from './next-sessions';

const naive = { version: '1', family: 'naive', role: 'SHADOW' } as const;
const fans = [fanOf(forecast(3)), fanOf(forecast(3, naive)), fanOf(forecast(3, { version: '2', family: 'lstm', role: 'SHADOW' }))];

describe('nextSessions', () => {
  it('measures each model against the close it was made from', () => {
    const [champion, baseline, shadow] = nextSessions(fans, [bar(2), bar(3, { close: 80 })]);
    expect([champion?.role, baseline?.role, shadow?.role]).toEqual(['champion', 'baseline', 'shadow']);
    expect(champion).toMatchObject({ time: timeOf(4), median: 100, low95: 90.5, high95: 109.5, move: 0.25, age: 0, ahead: 1 });
    expect(champion?.width).toBeCloseTo(19 / 80);
  });

  it('speaks of the step that still lies ahead, and of none when all are past', () => {
    expect(nextSessions(fans, bars(1, 4)).map(({ time }) => time)).toEqual(Array(3).fill(timeOf(5)));
    expect(nextSessions(fans, bars(1, 5))).toEqual([]);
  });

  it('keeps origins apart while the forecasts of a new bar come in one by one', () => {
    const rows = nextSessions([fanOf(forecast(4)), fanOf(forecast(3, naive))], [bar(3, { close: 50 }), bar(4, { close: 80 })]);
    expect(commonOrigin(rows)).toBe(timeOf(4));
    expect(rows).toMatchObject([
      { origin: timeOf(4), age: 0, ahead: 1, move: 0.25 },
      { origin: timeOf(3), age: 1, ahead: 2, move: 1 },
    ]);
    expect(commonOrigin([])).toBeNull();
  });

  it('knows no move where the bar of the origin is not held', () => {
    expect(nextSessions(fans, [bar(4)])).toMatchObject(Array(3).fill({ move: null, width: null }));
  });

  it('speaks in the share terms of the last bar after a split', () => {
    const [row] = nextSessions(fans, [bar(3, { close: 40 }), bar(4, { close: 50 })], [{ date: '2012-01-04', ratio: 2 }]);
    expect(row).toMatchObject({ median: 50, move: 0.25 });
  });
});
