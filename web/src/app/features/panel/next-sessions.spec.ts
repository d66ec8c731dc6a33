import { forecast, timeOf } from '../../../testing/samples';
import { fanOf } from '../../core/forecasts';
import { nextSessions } from './next-sessions';

const fans = [
  fanOf(forecast(3)),
  fanOf(forecast(3, { version: '1', family: 'naive', role: 'SHADOW' })),
  fanOf(forecast(3, { version: '2', family: 'lstm', role: 'SHADOW' })),
];

describe('nextSessions', () => {
  it('measures each model against the last close', () => {
    const [champion, baseline, shadow] = nextSessions(fans, timeOf(3), 80);
    expect([champion?.role, baseline?.role, shadow?.role]).toEqual(['champion', 'baseline', 'shadow']);
    expect(champion).toMatchObject({ time: timeOf(4), median: 100, low95: 90.5, high95: 109.5, move: 0.25 });
    expect(champion?.width).toBeCloseTo(19 / 80);
  });

  it('speaks of the step that still lies ahead, and of none when all are past', () => {
    expect(nextSessions(fans, timeOf(4), 80).map(({ time }) => time)).toEqual(Array(3).fill(timeOf(5)));
    expect(nextSessions(fans, timeOf(5), 80)).toEqual([]);
  });
});
