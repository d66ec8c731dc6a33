// Generated from contracts/schemas by `foretick contracts generate`. Do not edit.

import type { CalendarDate, Instant } from './moments';

export type ActionKind = 'UNKNOWN' | 'SPLIT' | 'DIVIDEND';

/** A split or a dividend of one symbol; adjusted prices are computed from these at read time. */
export interface CorporateActionAnnounced {
  /** Ticker as the source names it. */
  readonly symbol: string;
  /** SPLIT or DIVIDEND; a kind this reader does not know yet reads as UNKNOWN. */
  readonly kind: ActionKind;
  /** First session that trades without the right, in the exchange's calendar. */
  readonly ex_date: CalendarDate;
  /** SPLIT: new shares for one old share (2.0 for a 2:1 split). */
  readonly ratio: number | null;
  /** DIVIDEND: cash for one share, raw. */
  readonly amount: number | null;
  /** DIVIDEND: ISO 4217 code of the amount. */
  readonly currency: string | null;
  /** Which adapter fetched it. */
  readonly source: string;
  /** 0 for the first report, one more for each correction. */
  readonly revision: number;
  /** When this system published it, UTC. */
  readonly recorded_at: Instant;
}
