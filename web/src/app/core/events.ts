// Generated from contracts/schemas by `foretick contracts generate`. Do not edit.

/** A moment: RFC 3339 in UTC. */
export type Instant = string;

/** A date: ISO 8601, `YYYY-MM-DD`. */
export type CalendarDate = string;

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
}

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
}

/** Hold-out metrics of one model. */
export interface Metrics {
  /** Registered version; null for a model that is not registered. */
  readonly version: string | null;
  /** Model family. */
  readonly family: string;
  /** Forecast steps scored. */
  readonly n: number;
  /** Mean absolute scaled error. */
  readonly mase: number;
  /** Scaled continuous ranked probability score, from the quantiles. */
  readonly scrps: number;
  /** Share inside the 80 % interval. */
  readonly coverage_80: number;
  /** Share inside the 95 % interval. */
  readonly coverage_95: number;
}

/** The comparison that justified it. */
export interface Evaluation {
  /** The version promoted. */
  readonly candidate: Metrics;
  /** The sitting champion, where there was one. */
  readonly champion: Metrics | null;
  /** The random walk on the same steps. */
  readonly naive: Metrics;
  /** Name of the statistical test, where one was made. */
  readonly test: string | null;
  /** Its statistic. */
  readonly statistic: number | null;
  /** Its p-value. */
  readonly p_value: number | null;
}

/** A range of one partition of the log. */
export interface TrainingRange {
  /** Topic. */
  readonly topic: string;
  /** Partition. */
  readonly partition: number;
  /** First offset of the range. */
  readonly from_offset: number;
  /** Last offset of the range, inclusive. */
  readonly to_offset: number;
}

/** What it was trained on. */
export interface TrainingData {
  /** Offset vector of the training set. */
  readonly inputs: readonly TrainingRange[];
  /** SHA-256 of the training set's bytes. */
  readonly sha256: string;
  /** Bars in the training set. */
  readonly bars: number;
}

/** What became of the alias. */
export type PromotionOutcome = 'UNKNOWN' | 'MOVED' | 'KEPT';

/** A version that the gate did not let pass. */
export interface Refusal {
  /** Registered version. */
  readonly version: string;
  /** Its family. */
  readonly family: string;
  /** Each rule that it broke, with the figures, in words. */
  readonly reasons: readonly string[];
}

/** A decision on an alias of the registered model: where it points now, and why. The history that a registry lacks. */
export interface ModelPromoted {
  /** Registered model name. */
  readonly model_name: string;
  /** The alias moved: champion, naive, arima, lstm, transformer. */
  readonly alias: string;
  /** Version that the alias points at now. */
  readonly version: string;
  /** Its family. */
  readonly family: string;
  /** MLflow run that trained it. */
  readonly run_id: string;
  /** Version that the alias pointed at before. */
  readonly previous_version: string | null;
  /** The comparison that justified it. */
  readonly evaluation: Evaluation;
  /** What it was trained on. */
  readonly training: TrainingData;
  /** The rule or the person that decided. */
  readonly decided_by: string;
  /** Why, in words. */
  readonly reason: string;
  /** When, UTC. */
  readonly decided_at: Instant;
  /** MOVED: the alias points at another version than before; KEPT: it stays, every other version was refused. Null: MOVED. */
  readonly outcome: PromotionOutcome | null;
  /** Who was compared and not chosen, and why; null where nobody was compared. */
  readonly refused: readonly Refusal[] | null;
  /** Registry ids of the schemas that wrote the training set's events. */
  readonly schema_ids: readonly number[] | null;
  /** Exchange calendar by which the training set's sessions were told, with its version. */
  readonly calendar: string | null;
  /** Code that made the training set and trained the version. */
  readonly code_version: string | null;
}

/** What is watched. */
export type DriftMeasure = 'UNKNOWN' | 'COVERAGE_80' | 'COVERAGE_95' | 'SKILL' | 'RETURNS';

/** Alarm or end of it. */
export type DriftState = 'UNKNOWN' | 'RAISED' | 'CLEARED';

/** What a model does live, or what the market does, has left its band, or has come back into it. */
export interface DriftDetected {
  /** Registered model name. */
  readonly model_name: string;
  /** COVERAGE_*: share of outcomes inside the interval; SKILL: 1 - sum|error| / sum|random walk's error|; RETURNS: size of one-session returns. */
  readonly measure: DriftMeasure;
  /** RAISED: it left its band; CLEARED: it is well inside again. */
  readonly state: DriftState;
  /** Version watched; null where the market is. */
  readonly model_version: string | null;
  /** Its family. */
  readonly family: string | null;
  /** Symbol whose returns are watched; null where a version is, over all symbols. */
  readonly symbol: string | null;
  /** Bars forecast, ISO 8601 duration. */
  readonly interval: string;
  /** What was measured over the window: a share, a skill, or the distance of two distributions. */
  readonly value: number;
  /** What it should be: the nominal share, or 0. */
  readonly expected: number;
  /** How far beyond noise: standard errors, or the p-value of the two-sample Kolmogorov-Smirnov test. */
  readonly statistic: number;
  /** Sessions in the window. */
  readonly sessions: number;
  /** Outcomes in the window. */
  readonly n: number;
  /** Close of the window's first session, UTC. */
  readonly from_session: Instant;
  /** Close of its last session, UTC. */
  readonly to_session: Instant;
  /** The rule and the figures, in words. */
  readonly reason: string;
  /** When it was published, UTC. */
  readonly recorded_at: Instant;
}
