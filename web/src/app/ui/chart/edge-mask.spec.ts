import { coverOf } from './edge-mask';

describe('coverOf', () => {
  it('hides the whole of a label that the edge cuts, and none that is whole or out of sight', () => {
    expect(coverOf([8, 60, 120])).toBe(23);
    expect(coverOf([-6, 60])).toBe(9);
    expect(coverOf([-40, 15, 60])).toBe(0);
    expect(coverOf([])).toBe(0);
  });
});
