import { sparkline } from './sparklines';

describe('sparkline', () => {
  it('runs from left to right, high values at the top', () => {
    expect(sparkline([1, 3, 2], 64, 20)).toBe('M0.0 20.0L32.0 0.0L64.0 10.0');
  });

  it('draws a flat line through the middle and nothing from one value', () => {
    expect(sparkline([5, 5], 64, 20)).toBe('M0.0 10.0L64.0 10.0');
    expect(sparkline([5], 64, 20)).toBe('');
  });
});
