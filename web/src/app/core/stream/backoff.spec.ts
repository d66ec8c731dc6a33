import { backoff } from './backoff';

describe('backoff', () => {
  it('doubles up to ten seconds', () => {
    expect([1, 2, 3, 9].map((attempt) => backoff(attempt, () => 1))).toEqual([500, 1000, 2000, 10_000]);
  });

  it('spreads clients over the upper half', () => {
    expect(backoff(1, () => 0)).toBe(250);
    expect(backoff(9, () => 0)).toBe(5000);
  });
});
