// Generated from contracts/schemas by `foretick contracts generate`. Do not edit.

import type { Instant } from './moments';

export type Role = 'SHADOW' | 'CHAMPION';

/** Which model made it. */
export interface ModelRef {
  /** Registered model name in MLflow. */
  readonly name: string;
  /** Registered version. */
  readonly version: string;
  /** naive, arima, lstm, transformer. */
  readonly family: string;
  /** MLflow run that trained it. */
  readonly run_id: string;
  /** CHAMPION: the version users are shown; SHADOW: a challenger beside it. */
  readonly role: Role;
}

/** One quantile. */
export interface Quantile {
  /** Between 0 and 1. */
  readonly level: number;
  /** Price that the outcome is below with this probability. */
  readonly value: number;
}

/** One future session. */
export interface ForecastStep {
  /** 1 for the next session. */
  readonly step: number;
  /** closed_at of the session forecast, UTC. */
  readonly target_at: Instant;
  /** Point forecast, in the price basis named below. */
  readonly mean: number;
  /** By rising level; values never cross. */
  readonly quantiles: readonly Quantile[];
}

/** A range of one partition of the log. */
export interface OffsetRange {
  /** Topic. */
  readonly topic: string;
  /** Partition. */
  readonly partition: number;
  /** First offset of the range. */
  readonly from_offset: number;
  /** Last offset of the range, inclusive. */
  readonly to_offset: number;
}

/** What the forecast was made from. */
export interface Lineage {
  /** Where the events of this symbol that were read stand in the log. */
  readonly inputs: readonly OffsetRange[];
  /** SHA-256 of the model's input frame. */
  readonly input_sha256: string;
  /** Bars in the input frame. */
  readonly input_bars: number;
  /** Registry ids of the schemas the inputs were written with. */
  readonly schema_ids: readonly number[];
  /** Version of the code that forecast. */
  readonly code_version: string;
}

/** One model version has forecast one symbol from one origin. */
export interface ForecastIssued {
  /** UUIDv5 of symbol, interval, origin, model name and version, and the input's hash. */
  readonly forecast_id: string;
  /** Ticker. */
  readonly symbol: string;
  /** ISO 8601 duration of the bars forecast from. */
  readonly interval: string;
  /** closed_at of the last bar seen, UTC. */
  readonly origin: Instant;
  /** When the forecast was made, UTC. */
  readonly issued_at: Instant;
  /** Which model made it. */
  readonly model: ModelRef;
  /** By rising step. */
  readonly steps: readonly ForecastStep[];
  /** AS_OF_ORIGIN: prices in the share terms of the origin's session (splits known then applied). */
  readonly price_basis: string;
  /** What the forecast was made from. */
  readonly lineage: Lineage;
  /** closed_at of the last bar that the version's training saw, UTC; null where not known. Since version 2. */
  readonly trained_until: Instant | null;
}
