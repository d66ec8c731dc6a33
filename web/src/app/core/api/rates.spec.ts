import { Rates } from './rates';

const counts = (bars: number) => new Map([['bars', bars]]);

describe('Rates', () => {
  it('know nothing before two samples', () => {
    expect(new Rates().now('bars')).toBeNull();
    expect(new Rates().with(0, counts(5)).now('bars')).toBeNull();
  });

  it('are taken over the last half minute', () => {
    const rates = new Rates().with(0, counts(0)).with(60_000, counts(600)).with(70_000, counts(620));
    expect(rates.now('bars')).toBe(2);
    expect(rates.history('bars')).toEqual([10, 2]);
  });

  it('are no less than nothing after a topic was made again', () => {
    expect(new Rates().with(0, counts(50)).with(1000, counts(3)).now('bars')).toBe(0);
  });

  it('leave out what is not counted', () => {
    expect(new Rates().with(0, counts(1)).with(1000, counts(2)).now('forecasts')).toBeNull();
  });
});
