import { bars, timeOf } from '../../../testing/samples';
import { ageOf, ageSaid, isStale } from './ages';

describe('the age of a forecast', () => {
  it('counts the sessions that closed since its origin', () => {
    expect([14, 13, 3, 0].map((day) => ageOf({ origin: timeOf(day) }, bars(1, 14)))).toEqual([0, 1, 11, 14]);
    expect(ageOf({ origin: timeOf(20) }, bars(1, 14))).toBe(0);
    expect(ageOf({ origin: timeOf(3) }, [])).toBe(0);
  });

  it('is told in words, and is trouble from two sessions on', () => {
    expect([1, 11].map(ageSaid)).toEqual(['1 session old', '11 sessions old']);
    expect([0, 1, 2].map(isStale)).toEqual([false, false, true]);
  });
});
