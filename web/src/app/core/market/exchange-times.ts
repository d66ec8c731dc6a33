/** Time zones of exchanges by ISO 10383 market code; others read in UTC. */
const ZONES: Readonly<Record<string, string>> = {
  XNYS: 'America/New_York',
  XNAS: 'America/New_York',
  ARCX: 'America/New_York',
  BATS: 'America/New_York',
  XASE: 'America/New_York',
  XTSE: 'America/Toronto',
  XLON: 'Europe/London',
  XETR: 'Europe/Berlin',
  XPAR: 'Europe/Paris',
  XAMS: 'Europe/Amsterdam',
  XSWX: 'Europe/Zurich',
  XTKS: 'Asia/Tokyo',
  XHKG: 'Asia/Hong_Kong',
};

export function zoneOf(exchange: string | null | undefined): string {
  return ZONES[exchange ?? ''] ?? 'UTC';
}

/** Written dates and times of one exchange. */
export class ExchangeTimes {
  private readonly dates: Intl.DateTimeFormat;
  private readonly days: Intl.DateTimeFormat;
  private readonly shorts: Intl.DateTimeFormat;
  private readonly clocks: Intl.DateTimeFormat;

  constructor(readonly zone: string) {
    const day = { timeZone: zone, day: 'numeric', month: 'short', year: 'numeric' } as const;
    this.dates = new Intl.DateTimeFormat('en-GB', day);
    this.days = new Intl.DateTimeFormat('en-GB', { ...day, weekday: 'short' });
    this.shorts = new Intl.DateTimeFormat('en-GB', { timeZone: zone, weekday: 'short', day: 'numeric', month: 'short' });
    this.clocks = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' });
  }

  /** `3 Jan 2012` */
  date(seconds: number): string {
    return this.dates.format(seconds * 1000).replace('Sept', 'Sep');
  }

  /** `Tue 3 Jan 2012` */
  day(seconds: number): string {
    return this.days.format(seconds * 1000).replace(',', '').replace('Sept', 'Sep');
  }

  /** `Tue 3 Jan` */
  shortDay(seconds: number): string {
    return this.shorts.format(seconds * 1000).replace(',', '').replace('Sept', 'Sep');
  }

  /** `3 Jan` */
  shortDate(seconds: number): string {
    return this.date(seconds).split(' ').slice(0, 2).join(' ');
  }

  /** `3` */
  dayOfMonth(seconds: number): string {
    return this.dates.format(seconds * 1000).split(' ')[0] ?? '';
  }

  /** `Jan` */
  month(seconds: number): string {
    return this.date(seconds).split(' ')[1] ?? '';
  }

  /** `16:00 New York` */
  clock(seconds: number): string {
    const place = this.zone.split('/').at(-1) ?? this.zone;
    return `${this.clocks.format(seconds * 1000)} ${place.replaceAll('_', ' ')}`;
  }
}
