import type { Bar } from '../../core/market/bars';
import type { OwnBars } from '../../core/api/api-types';

/** What a CSV says of bars, oldest first, or what is wrong with it. */
export interface CsvHistory {
  readonly bars: readonly Bar[];
  /** What each bar's time was called in the file. */
  readonly stamps: readonly string[];
  /** Whether the file has open, high and low, or closes alone. */
  readonly whole: boolean;
  readonly faults: readonly string[];
}

/** The gateway's answer as what is drawn: it reads files as the producers and backtests do. */
export function historyOf({ bars, whole, faults }: OwnBars): CsvHistory {
  return {
    bars: bars.map(({ closed_at: closedAt, ...figures }) => ({ ...figures, closedAt, time: Date.parse(closedAt) / 1000, revision: 0 })),
    stamps: bars.map(({ closed_at: closedAt }) => closedAt),
    whole,
    faults,
  };
}

/** Bars as CSV. */
export function csvOf(bars: readonly Bar[]): string {
  const rows = bars.map(({ closedAt, open, high, low, close, volume }) => [closedAt, open, high, low, close, volume].join(','));
  return ['closed_at,open,high,low,close,volume', ...rows].join('\n');
}

/** A file's text: UTF-16 where its first bytes show it, as spreadsheets write it, else UTF-8. */
export function textOf(bytes: ArrayBuffer): string {
  const [first, second] = new Uint8Array(bytes);
  const wide = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return new TextDecoder(wide ? (first === 0xff ? 'utf-16le' : 'utf-16be') : 'utf-8').decode(bytes);
}
