import type { Bar } from '../../core/market/bars';

export const RANGES = ['1M', '3M', '6M', '1Y', 'All'] as const;
export type RangeName = (typeof RANGES)[number];

const MONTHS: Readonly<Record<Exclude<RangeName, 'All'>, number>> = { '1M': 1, '3M': 3, '6M': 6, '1Y': 12 };

/** Empty slots kept to the right of everything drawn. */
export const MARGIN = 1.5;
/** Fewest slots in view: a symbol listed last week is not blown up to fill the width. */
const FEWEST = 30;

export interface LogicalWindow {
  readonly from: number;
  readonly to: number;
}

/** Index of the first bar within the range, counted back from the last bar by the calendar (UTC). */
export function rangeStart(bars: readonly Bar[], range: RangeName): number {
  const last = bars.at(-1);
  if (last === undefined || range === 'All') return 0;
  const opens = rangeOpens(last, range);
  return bars.findIndex(({ time }) => time > opens);
}

/** When a range begins that ends at a bar: seconds since the epoch. */
export function rangeOpens(last: Bar, range: Exclude<RangeName, 'All'>): number {
  const since = new Date(last.time * 1000);
  since.setUTCMonth(since.getUTCMonth() - MONTHS[range]);
  return since.getTime() / 1000;
}

/** The logical indices a range shows, with the slots of the future. */
export function windowOf(bars: readonly Bar[], range: RangeName, future: number): LogicalWindow {
  const to = bars.length - 1 + future + MARGIN;
  return { from: Math.min(rangeStart(bars, range) - 0.5, to - FEWEST), to };
}

/** How bars changed: which ones to update one by one, or all of them; and how many came in before the first held. */
export interface BarsChange {
  readonly whole: boolean;
  readonly updates: readonly Bar[];
  readonly prepended: number;
}

/**
 * A few new or corrected bars at the end are cheaper one by one; anything else is drawn again. By their times: the chart
 * takes no bar before its last one, so one that comes late, even one place before the end, is no append; nor does it
 * let go of a bar that is no longer there.
 */
export function changeOf(held: readonly Bar[], bars: readonly Bar[]): BarsChange {
  const [first, last] = [held[0], held.at(-1)];
  const from = held.findIndex((bar, at) => bars[at] !== bar);
  const kept = from === -1 ? held.length : from;
  const updates = bars.slice(kept);
  const next = kept === held.length || (kept === held.length - 1 && updates[0]?.time === last?.time);
  if (held.length > 0 && next && updates.length <= 8) return { whole: false, updates, prepended: 0 };
  const prepended = first === undefined ? 0 : bars.findIndex(({ time }) => time >= first.time) - trimmed(held, bars);
  return { whole: true, updates: [], prepended };
}

function trimmed(held: readonly Bar[], bars: readonly Bar[]): number {
  const first = bars[0];
  return first === undefined ? 0 : held.filter(({ time }) => time < first.time).length;
}
