// Generated from contracts/schemas by `foretick contracts generate`. Do not edit.

import type { Instant } from './moments';

/** The bar that settled it. */
export interface SettlingBar {
  /** Its close, UTC. */
  readonly closed_at: Instant;
  /** Its revision. */
  readonly revision: number;
  /** Where it stands in the log. */
  readonly topic: string;
  /** Partition. */
  readonly partition: number;
  /** Offset. */
  readonly offset: number;
}

/** Loss of one quantile. */
export interface PinballLoss {
  /** Between 0 and 1. */
  readonly level: number;
  /** Pinball loss, in price units. */
  readonly loss: number;
}

/** A step of a forecast was settled by the bar it spoke of. */
export interface ForecastScored {
  /** The forecast settled. */
  readonly forecast_id: string;
  /** Ticker. */
  readonly symbol: string;
  /** ISO 8601 duration. */
  readonly interval: string;
  /** Origin of the forecast, UTC. */
  readonly origin: Instant;
  /** Which step was settled. */
  readonly step: number;
  /** closed_at of the session forecast, UTC. */
  readonly target_at: Instant;
  /** Registered model name. */
  readonly model_name: string;
  /** Registered version. */
  readonly model_version: string;
  /** Model family. */
  readonly family: string;
  /** CHAMPION or SHADOW, as issued. */
  readonly role: string;
  /** The bar that settled it. */
  readonly bar: SettlingBar;
  /** The close, in the forecast's price basis. */
  readonly actual: number;
  /** |actual - mean|. */
  readonly absolute_error: number;
  /** (actual - mean)^2. */
  readonly squared_error: number;
  /** By rising level. */
  readonly pinball: readonly PinballLoss[];
  /** The actual lay between the 0.1 and 0.9 quantiles. */
  readonly inside_80: boolean;
  /** The actual lay between the 0.025 and 0.975 quantiles. */
  readonly inside_95: boolean;
  /** |actual - last close|: the random walk's error for the same step. */
  readonly naive_absolute_error: number;
  /** Mean |one-step change| over the model's input: the denominator of MASE. */
  readonly scale: number;
  /** When it was scored, UTC. */
  readonly recorded_at: Instant;
  /** closed_at of the last bar of this symbol that the version's training saw, UTC: a forecast from then or before is no proof. Null where not known. Since version 2. */
  readonly trained_until: Instant | null;
  /** The random walk's pinball loss for the same origin and step, mean over the levels; null where it issued no forecast. Since version 2. */
  readonly naive_pinball: number | null;
}
