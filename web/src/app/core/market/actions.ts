import type { CorporateAction } from '../api/api-types';
import type { Bar } from './bars';

/** A split: `ratio` new shares for one old, from the session of `date` (ISO) on. */
export interface Split {
  readonly date: string;
  readonly ratio: number;
}

/** The splits among corporate actions, by ex-date. */
export function splitsOf(actions: readonly CorporateAction[]): readonly Split[] {
  return actions
    .flatMap(({ kind, ex_date, ratio }) => (kind === 'SPLIT' && ratio != null ? [{ date: ex_date, ratio }] : []))
    .sort((a, b) => a.date.localeCompare(b.date));
}

/** The day whose splits a close's prices know: that of the moment before it, UTC, as the gateway counts. */
export function sessionOf(time: number): string {
  return new Date(time * 1000 - 1).toISOString().slice(0, 10);
}

/** How many shares at the close `until` one share at the close `from` has become (seconds since the epoch). */
export function splitFactor(splits: readonly Split[], from: number, until: number): number {
  const [first, last] = [sessionOf(from), sessionOf(until)];
  return splits.reduce((factor, { date, ratio }) => (first < date && date <= last ? factor * ratio : factor), 1);
}

/** Bars as they were traded, from bars in the share terms of their last one. */
export function tradedBars(bars: readonly Bar[], splits: readonly Split[]): readonly Bar[] {
  const last = bars.at(-1);
  if (last === undefined || splits.length === 0) return bars;
  return bars.map((bar) => {
    const factor = splitFactor(splits, bar.time, last.time);
    if (factor === 1) return bar;
    const { open, high, low, close, volume } = bar;
    const [o, h, l, c] = [open, high, low, close].map((price) => exact(price * factor));
    return { ...bar, open: o ?? open, high: h ?? high, low: l ?? low, close: c ?? close, volume: exact(volume / factor) };
  });
}

/** Undo what dividing and multiplying by a ratio leaves in the last digits. */
function exact(value: number): number {
  return Number(value.toPrecision(12));
}
