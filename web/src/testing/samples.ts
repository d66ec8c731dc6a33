import type { Page } from '../app/core/api/api-types';
import type { Bar } from '../app/core/market/bars';
import type { BarClosed, ForecastIssued, ModelRef } from '../app/core/api/events';

/** Days of January 2012 as closing times of New York's sessions. */
export function closedAt(day: number): string {
  return new Date(Date.UTC(2012, 0, day, 21)).toISOString().replace('.000Z', 'Z');
}

export function timeOf(day: number): number {
  return Date.UTC(2012, 0, day, 21) / 1000;
}

export function barClosed(day: number, changes: Partial<BarClosed> = {}): BarClosed {
  return {
    symbol: 'AAPL',
    exchange: 'XNAS',
    interval: 'P1D',
    opened_at: closedAt(day).replace('T21:00', 'T14:30'),
    closed_at: closedAt(day),
    open: 100,
    high: 110,
    low: 90,
    close: 100 + day,
    volume: 1000,
    currency: 'USD',
    source: 'yahoo',
    revision: 0,
    recorded_at: closedAt(day),
    payload_sha256: 'ab',
    vwap: 100,
    trades: 50,
    ...changes,
  };
}

export function bar(day: number, changes: Partial<Bar> = {}): Bar {
  const { closed_at, open, high, low, close, volume, revision } = barClosed(day);
  return { time: timeOf(day), closedAt: closed_at, open, high, low, close, volume, revision, ...changes };
}

export function bars(first: number, last: number): readonly Bar[] {
  return Array.from({ length: last - first + 1 }, (_, at) => bar(first + at));
}

/** A forecast from the close of `day` for the two days after it. */
export function forecast(day: number, model: Partial<ModelRef> = {}): ForecastIssued {
  const levels = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975];
  return {
    forecast_id: `${model.version ?? '4'}-${day}`,
    symbol: 'AAPL',
    interval: 'P1D',
    origin: closedAt(day),
    issued_at: closedAt(day),
    model: { name: 'stock-forecaster', version: '4', family: 'arima', run_id: 'r', role: 'CHAMPION', ...model },
    steps: [1, 2].map((step) => ({
      step,
      target_at: closedAt(day + step),
      mean: 100,
      quantiles: levels.map((level) => ({ level, value: 100 + (level - 0.5) * 20 * step })),
    })),
    price_basis: 'AS_OF_ORIGIN',
    lineage: { inputs: [], input_sha256: 'ab', input_bars: 64, schema_ids: [1], code_version: '1' },
    trained_until: null,
  };
}

export function page<T>(items: readonly T[], position: Page<T>['position'], next: string | null = null): Page<T> {
  return { items, position, next };
}
