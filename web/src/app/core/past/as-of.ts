import { type Split, splitFactor } from '../market/actions';
import type { CorporateAction, Promotion } from '../api/api-types';
import type { Bar } from '../market/bars';
import type { Fan } from '../forecasts/forecasts';

/** What the system knew and said at a moment. */
export interface AsOf {
  readonly at: string;
  readonly day: string;
  readonly symbol: string;
  readonly bars: readonly Bar[];
  /** Closes that came afterwards, in the share terms of then. */
  readonly since: readonly Bar[];
  readonly fans: readonly Fan[];
  readonly actions: readonly CorporateAction[];
  /** Who was champion, and why; null before the first promotion. */
  readonly champion: Promotion | null;
  /** When a model was promoted for the first time ever: no forecast is older; null while none has been. */
  readonly firstPromotion: string | null;
}

/** Sessions shown of what then happened. */
const SINCE = 10;

/** The champion's promotion as it stood at a moment, of moves newest first. */
export function championAt(moves: readonly Promotion[], at: string): Promotion | null {
  const time = Date.parse(at);
  return moves.find(({ alias, decided_at }) => alias === 'champion' && Date.parse(decided_at) <= time) ?? null;
}

/** The end of a day (`2012-03-05`), as an instant: everything recorded on it is known. */
export function endOf(day: string): string {
  return `${day}T23:59:59Z`;
}

/** The day of a moment, for a date field (UTC). */
export function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** The first closes after those known, of bars as they were traded, in the share terms of the last one known. */
export function sinceOf(known: readonly Bar[], traded: readonly Bar[], splits: readonly Split[]): readonly Bar[] {
  const last = known.at(-1);
  if (last === undefined) return [];
  return traded
    .filter(({ time }) => time > last.time)
    .slice(0, SINCE)
    .map((bar) => ({ ...bar, close: bar.close * splitFactor(splits, last.time, bar.time) }));
}
