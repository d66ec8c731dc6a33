import type { Bar } from '../../../core/market/bars';
import type { LoadState } from '../../../core/api/load-state';
import { rangeOpens, type RangeName, rangeStart } from '../../../ui/chart/ranges';

/** What is held of one symbol. */
export interface History {
  readonly symbol: string;
  /** By rising time. */
  readonly bars: readonly Bar[];
  readonly load: LoadState;
  /** Whether no bars exist before the oldest held. */
  readonly complete: boolean;
}

/** Writes a time (seconds since the epoch) as a date. */
export type Written = (time: number) => string;

/** Why a range shows less of the past than its name says; null where it shows all of it. `most`: bars that are held at most. */
export function rangeSaid({ symbol, bars, complete }: History, range: RangeName, most: number, date: Written): string | null {
  const [first, last] = [bars[0], bars.at(-1)];
  if (first === undefined || last === undefined) return null;
  if (range !== 'All' && rangeOpens(last, range) >= first.time) return null;
  if (complete) return range === 'All' ? null : `no bars of ${symbol} before ${date(first.time)}`;
  if (bars.length >= most) return `the newest ${bars.length} bars, since ${date(first.time)}`;
  return `reading older bars of ${symbol} …`;
}

/** Why a symbol compared with is not there from the left edge of a range on; null where it is. */
export function comparisonSaid(other: History, bars: readonly Bar[], range: RangeName, date: Written): string | null {
  const { symbol, load, complete } = other;
  const [first, last, opens] = [other.bars[0], other.bars.at(-1), bars[rangeStart(bars, range)]];
  if (load.status === 'failed') return `bars of ${symbol} could not be read`;
  if (load.status === 'loading') return `reading bars of ${symbol} …`;
  if (first === undefined || last === undefined || opens === undefined) return `no bars of ${symbol}`;
  if (last.time < opens.time) return `no bars of ${symbol} after ${date(last.time)}`;
  if (first.time <= opens.time) return null;
  return complete ? `no bars of ${symbol} before ${date(first.time)}` : `reading older bars of ${symbol} …`;
}
