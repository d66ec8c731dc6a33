import type { Bar as RestBar } from '../api/rest-types';

/** What both a REST answer and an event say of a bar. */
export type BarFields = Pick<RestBar, 'closed_at' | 'open' | 'high' | 'low' | 'close' | 'volume' | 'revision'>;

/** A bar as the screen holds it: `time` is its close in seconds since the epoch, UTC. */
export interface Bar {
  readonly time: number;
  readonly closedAt: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly revision: number;
}

/** A bar as the screen holds it, from REST or from the stream: both name its fields alike. */
export function barOf(event: BarFields): Bar {
  return {
    time: secondsOf(event.closed_at),
    closedAt: event.closed_at,
    open: event.open,
    high: event.high,
    low: event.low,
    close: event.close,
    volume: event.volume,
    revision: event.revision,
  };
}

export function secondsOf(instant: string): number {
  return Math.round(Date.parse(instant) / 1000);
}

/**
 * Merge `incoming` into `held` (by rising time): one bar per time, the highest revision wins.
 * Answers `held` itself when nothing changed, so that signals stay quiet. In any order, any number of times,
 * the result is the same.
 */
export function mergeBars(held: readonly Bar[], incoming: readonly Bar[]): readonly Bar[] {
  const last = held.at(-1);
  const sorted = [...incoming].sort((a, b) => a.time - b.time || a.revision - b.revision);
  const first = sorted[0];
  if (first === undefined) return held;
  if (last === undefined || first.time > last.time) return [...held, ...newestOf(sorted)];
  const byTime = new Map(held.map((bar) => [bar.time, bar]));
  let changed = false;
  for (const bar of sorted) {
    const known = byTime.get(bar.time);
    if (known !== undefined && known.revision >= bar.revision) continue;
    byTime.set(bar.time, bar);
    changed = true;
  }
  return changed ? [...byTime.values()].sort((a, b) => a.time - b.time) : held;
}

function newestOf(sorted: readonly Bar[]): readonly Bar[] {
  return sorted.filter((bar, at) => sorted[at + 1]?.time !== bar.time);
}

/** Change of the last close against the one before, as a fraction; null with fewer than two bars. */
export function lastChange(bars: readonly Bar[]): number | null {
  const last = bars.at(-1);
  const previous = bars.at(-2);
  return last === undefined || previous === undefined ? null : last.close / previous.close - 1;
}

/** Whether two neighbouring closes differ so much that a split, not trading, is the likelier cause. */
export function jumps(before: Bar | undefined, after: Bar | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  return Math.abs(Math.log(after.close / before.close)) > Math.log(1.4);
}
