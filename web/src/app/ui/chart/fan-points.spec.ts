import { bar, bars, forecast, timeOf } from '../../../testing/samples';
import { fanOf } from '../../core/forecasts/forecasts';
import { drawnFan, futureSlots } from './fan-points';

const fan = fanOf(forecast(3));

describe('drawnFan', () => {
  it('opens from the close it was made at', () => {
    const { kind, points } = drawnFan(fan, bars(1, 3));
    expect(kind).toBe('champion');
    expect(points.map(({ time }) => time)).toEqual([timeOf(3), timeOf(4), timeOf(5)]);
    expect(points[0]).toMatchObject({ low95: bar(3).close, median: bar(3).close, high95: bar(3).close });
  });

  it('begins at the first step where that bar is not held', () => {
    expect(drawnFan(fan, bars(4, 5)).points.map(({ time }) => time)).toEqual([timeOf(4), timeOf(5)]);
  });
});

describe('futureSlots', () => {
  it('counts sessions after the last bar once, whichever fans speak of them', () => {
    const fans = [drawnFan(fan, []), drawnFan(fanOf(forecast(4)), [])];
    expect(futureSlots(fans, timeOf(4))).toBe(2);
    expect(futureSlots([], timeOf(4))).toBe(0);
  });
});
