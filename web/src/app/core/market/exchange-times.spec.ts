import { ExchangeTimes, zoneOf } from './exchange-times';

describe('ExchangeTimes', () => {
  const winter = Date.UTC(2012, 0, 3, 21) / 1000;
  const summer = Date.UTC(2012, 8, 4, 20) / 1000;

  it('writes days and times of the exchange, through daylight saving', () => {
    const times = new ExchangeTimes(zoneOf('XNYS'));
    expect(times.day(winter)).toBe('Tue 3 Jan 2012');
    expect(times.clock(winter)).toBe('16:00 New York');
    expect(times.clock(summer)).toBe('16:00 New York');
    expect(times.date(summer)).toBe('4 Sep 2012');
    expect(times.shortDay(summer)).toBe('Tue 4 Sep');
    expect(times.month(summer)).toBe('Sep');
  });

  it('reads unknown exchanges in UTC', () => {
    expect(new ExchangeTimes(zoneOf(null)).clock(winter)).toBe('21:00 UTC');
  });
});
