import { change, count, decimal, percent, price, volume } from './numbers';

describe('figures', () => {
  it('are grouped, rounded and carry a true minus sign', () => {
    expect(price(1234.5)).toBe('1,234.50');
    expect(price(0.1234)).toBe('0.1234');
    expect(percent(-0.0342)).toBe('−3.4 %');
    expect(volume(13_600_000)).toBe('13.6M');
    expect(count(3077)).toBe('3,077');
    expect(decimal(1.0614)).toBe('1.061');
  });

  it('show the sign of a change, and none of what rounds to nothing', () => {
    expect(change(0.0123)).toBe('+1.23 %');
    expect(change(-0.0123)).toBe('−1.23 %');
    expect(change(0.000001)).toBe('0.00 %');
    expect(change(-0.000001)).toBe('0.00 %');
  });

  it('are a dash where there is none', () => {
    expect([price, percent, change, volume, count, decimal].map((format) => format(null))).toEqual(Array(6).fill('–'));
  });
});
