// Generated from contracts/schemas by `foretick contracts generate`. Do not edit.

import type { Instant } from './moments';

/** One bar of one symbol has closed, or a closed bar was corrected (a higher revision). */
export interface BarClosed {
  /** Ticker as the source names it. */
  readonly symbol: string;
  /** ISO 10383 MIC of the listing exchange, where known. */
  readonly exchange: string | null;
  /** ISO 8601 duration: P1D, PT1H, PT1M. */
  readonly interval: string;
  /** Start of the bar, UTC. */
  readonly opened_at: Instant;
  /** End of the bar, UTC; the bar's identity in time. */
  readonly closed_at: Instant;
  /** First price, raw: never adjusted for splits or dividends. */
  readonly open: number;
  /** Highest price, raw. */
  readonly high: number;
  /** Lowest price, raw. */
  readonly low: number;
  /** Last price, raw. */
  readonly close: number;
  /** Units traded; fractional for some vendors. */
  readonly volume: number;
  /** ISO 4217 code of the prices. */
  readonly currency: string;
  /** Which adapter fetched it: yahoo, alphavantage, rest, csv. */
  readonly source: string;
  /** 0 for the first report of this bar, one more for each correction. */
  readonly revision: number;
  /** When this system published it, UTC; also the Kafka message's timestamp. */
  readonly recorded_at: Instant;
  /** SHA-256 of what the vendor reported for this bar, in canonical raw form. */
  readonly payload_sha256: string;
  /** Average price weighted by volume, raw; null where the source does not give it. Since version 2. */
  readonly vwap: number | null;
  /** Number of trades; null where the source does not give it. Since version 2. */
  readonly trades: number | null;
}
