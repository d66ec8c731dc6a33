/** What the gateway's REST routes take and answer. Written by `python -m gateway.typescript`; do not edit. */

/** RFC 3339 in UTC. */
export type Instant = string;

/** A symbol's splits and dividends, by ex-date. */
export interface Actions {
  readonly items: readonly CorporateActionAnnounced[];
  readonly position: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** A prediction is asked for on `/forecast`; the answer carries the `id`. */
export interface AskMessage {
  /** A symbol that the gateway knows; its bars are the history. */
  readonly symbol?: string | null;
  /** ISO 8601 duration of the bars. */
  readonly interval?: string;
  /** Sessions ahead. */
  readonly horizon?: number;
  /** Oldest first, split-adjusted; instead of a symbol. */
  readonly history?: readonly Observation[] | null;
  /** Comes back with the answer. */
  readonly id?: string | number | null;
}

/** A closed bar; prices raw, unless `adjust=splits` put them in the newest bar's share terms. */
export interface Bar {
  readonly symbol: string;
  readonly exchange: string | null;
  readonly interval: string;
  readonly opened_at: Instant;
  readonly closed_at: Instant;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly currency: string;
  readonly source: string;
  readonly revision: number;
  readonly recorded_at: Instant;
  /** Null where the source does not give it. */
  readonly vwap: number | null;
  /** Null where the source does not give it. */
  readonly trades: number | null;
}

/** A bar has closed, or was corrected (a higher `revision`). */
export interface BarMessage {
  readonly topic: string;
  readonly partition: number;
  /** Remember it: a client that comes back resumes after the last one it has seen. */
  readonly offset: number;
  /** The topic's id in Kafka: offsets of another epoch mean nothing. */
  readonly epoch: string;
  readonly type: 'bar';
  readonly data: Bar;
}

/** The replay exchange's clock. */
export interface Clock {
  readonly now: Instant;
  readonly running: boolean;
  readonly seconds_per_session: number;
  readonly finished: boolean;
}

/** A split or a dividend. `ratio`: new shares for one old; `amount`: cash for one share, raw. */
export interface CorporateActionAnnounced {
  readonly symbol: string;
  readonly kind: 'UNKNOWN' | 'SPLIT' | 'DIVIDEND';
  readonly ex_date: string;
  readonly ratio?: number | null;
  readonly amount?: number | null;
  readonly currency?: string | null;
  readonly source: string;
  readonly revision: number;
  readonly recorded_at: Instant;
}

/** What was wrong with a message of the client; the socket stays open. */
export interface ErrorMessage {
  readonly type: 'error';
  /** The request's own, null if it had none. */
  readonly id: string | number | null;
  readonly error: ProblemDetails;
}

/** The comparison that justified a promotion. */
export interface Evaluation {
  readonly candidate: Metrics;
  readonly champion?: Metrics | null;
  readonly naive: Metrics;
  readonly test?: string | null;
  readonly statistic?: number | null;
  readonly p_value?: number | null;
}

/** One fault. */
export interface FaultItem {
  readonly where: string;
  readonly what: string;
}

/** A forecast with its scores so far, by step. */
export interface Forecast {
  readonly forecast_id: string;
  readonly symbol: string;
  readonly interval: string;
  readonly origin: Instant;
  readonly issued_at: Instant;
  readonly model: ModelRef;
  readonly steps: readonly ForecastStep[];
  readonly price_basis: string;
  readonly lineage: Lineage;
  /** By step, as far as it is settled. */
  readonly scores: Readonly<Record<string, Score>>;
}

/** A forecast was issued. */
export interface ForecastMessage {
  readonly topic: string;
  readonly partition: number;
  /** Remember it: a client that comes back resumes after the last one it has seen. */
  readonly offset: number;
  /** The topic's id in Kafka: offsets of another epoch mean nothing. */
  readonly epoch: string;
  readonly type: 'forecast';
  readonly data: IssuedForecast;
}

/** One future session. */
export interface ForecastStep {
  readonly step: number;
  readonly target_at: Instant;
  readonly mean: number;
  readonly quantiles: readonly Quantile[];
}

/** Offsets, both ends included, that do not come on this socket: fetch anew what is shown of this partition. */
export interface GapMessage {
  readonly type: 'gap';
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  readonly epoch: string;
  /** conflated, retention, epoch, lost, late, and the like. */
  readonly reason: string;
}

/** Whether the gateway can do its work, and if not, why. */
export interface Health {
  readonly status: string;
  readonly reasons?: readonly string[];
}

/** Sent every 5 seconds; without two of them in a row the connection is dead. */
export interface HeartbeatMessage {
  readonly type: 'heartbeat';
  readonly at: Instant;
  /** Whether Kafka can be read just now. */
  readonly source: 'starting' | 'live' | 'away';
}

/** The first message, and again if the log begins anew: what comes next follows these positions. */
export interface HelloMessage {
  readonly type: 'hello';
  readonly epochs: Readonly<Record<string, string>>;
  /** Last offset before the live stream, by partition. */
  readonly positions: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly source: 'starting' | 'live' | 'away';
}

/** A forecast as it was issued. */
export interface IssuedForecast {
  readonly forecast_id: string;
  readonly symbol: string;
  readonly interval: string;
  readonly origin: Instant;
  readonly issued_at: Instant;
  readonly model: ModelRef;
  readonly steps: readonly ForecastStep[];
  readonly price_basis: string;
  readonly lineage: Lineage;
}

/** All versions, by step. */
export interface Leaderboard {
  readonly items: readonly Standing[];
  readonly position: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What a forecast was made from. */
export interface Lineage {
  readonly inputs: readonly OffsetRange[];
  readonly input_sha256: string;
  readonly input_bars: number;
  readonly schema_ids: readonly number[];
  readonly code_version: string;
}

/** What a forecast was made from: events, model, the decision and the data behind the model, and its scores. */
export interface LineageOf {
  readonly forecast_id: string;
  readonly symbol: string;
  readonly interval: string;
  readonly origin: Instant;
  readonly issued_at: Instant;
  readonly model: ModelRef;
  readonly lineage: Lineage;
  readonly scores: Readonly<Record<string, Score>>;
  /** The decision that put the version in its role. */
  readonly promotion?: ModelPromoted | null;
  /** All decisions on aliases of this version, newest first. */
  readonly promotions: readonly ModelPromoted[];
}

/** Where people open the servers beside this one. */
export interface Links {
  readonly mlflow: string;
  readonly airflow: string;
}

/** Whether the exchange trades now, by its calendar. */
export interface Market {
  readonly calendar: string;
  readonly open: boolean;
  /** Close of the last session that has ended. */
  readonly last_close: Instant;
  /** Close of the session before that. */
  readonly close_before: Instant;
  /** When it closes, or opens next; null beyond the calendar's end. */
  readonly changes_at: Instant | null;
}

/** Hold-out metrics of one model over `n` forecast steps. */
export interface Metrics {
  readonly version?: string | null;
  readonly family: string;
  readonly n: number;
  readonly mase: number;
  readonly scrps: number;
  readonly coverage_80: number;
  readonly coverage_95: number;
}

/** Where an alias of the registered model points, since when and why. */
export interface Model {
  readonly alias: string;
  readonly model_name: string;
  readonly version: string;
  readonly family: string;
  readonly run_id: string;
  /** Hold-out metrics of this version. */
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly decided_at: Instant;
  readonly reason: string;
}

/** Which model answered. */
export interface ModelName {
  readonly name: string;
  readonly version: string;
  readonly family: string;
}

/** A decision on an alias of the registered model: where it points now, and why. `outcome` is null in events older than it: those moved their alias. */
export interface ModelPromoted {
  readonly model_name: string;
  readonly alias: string;
  readonly version: string;
  readonly family: string;
  readonly run_id: string;
  readonly previous_version?: string | null;
  readonly evaluation: Evaluation;
  readonly training: TrainingData;
  readonly decided_by: string;
  readonly reason: string;
  readonly decided_at: Instant;
  readonly outcome?: 'UNKNOWN' | 'MOVED' | 'KEPT' | null;
  readonly refused?: readonly Refusal[] | null;
  readonly schema_ids?: readonly number[] | null;
  readonly calendar?: string | null;
  readonly code_version?: string | null;
}

/** Which model made a forecast. */
export interface ModelRef {
  readonly name: string;
  readonly version: string;
  readonly family: string;
  readonly run_id: string;
  readonly role: 'SHADOW' | 'CHAMPION';
}

/** The newest decision of each alias. */
export interface Models {
  readonly items: readonly Model[];
}

/** One point of a history. */
export interface Observation {
  /** When the session closed; a time without a zone is UTC, a bare date its session. */
  readonly ds: Instant;
  /** The close; a positive finite number. */
  readonly y: number | null;
}

/** A range of one partition of the log; both offsets belong to it. */
export interface OffsetRange {
  readonly topic: string;
  readonly partition: number;
  readonly from_offset: number;
  readonly to_offset: number;
}

export interface PageBar {
  readonly items: readonly Bar[];
  /** Give it as `before` for the next page; null: this was the last. */
  readonly next: string | null;
  /** Next offset by topic and partition: resume a socket from one less and nothing is missed. */
  readonly position: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface PageForecast {
  readonly items: readonly Forecast[];
  /** Give it as `before` for the next page; null: this was the last. */
  readonly next: string | null;
  /** Next offset by topic and partition: resume a socket from one less and nothing is missed. */
  readonly position: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface PageSymbolSummary {
  readonly items: readonly SymbolSummary[];
  /** Give it as `before` for the next page; null: this was the last. */
  readonly next: string | null;
  /** Next offset by topic and partition: resume a socket from one less and nothing is missed. */
  readonly position: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Loss of one quantile, in price units (Koenker & Bassett 1978). */
export interface PinballLoss {
  readonly level: number;
  readonly loss: number;
}

/** How the whole system is doing. */
export interface Pipeline {
  readonly read_models: readonly Progress[];
  readonly services: readonly ServiceState[];
  readonly topics: readonly TopicState[];
  readonly links: Links;
  /** The replay exchange's clock; null without one. */
  readonly clock: Clock | null;
  /** Hours of a real exchange; null for a replay, and while producers are away. */
  readonly market: Market | null;
  /** Dead letters nothing was decided on yet; null while Kafka is away. */
  readonly dead_letters: number | null;
}

/** A prediction is asked for: of a symbol, or of a history of the caller's own. */
export interface PredictRequest {
  /** A symbol that the gateway knows; its bars are the history. */
  readonly symbol?: string | null;
  /** ISO 8601 duration of the bars. */
  readonly interval?: string;
  /** Sessions ahead. */
  readonly horizon?: number;
  /** Oldest first, split-adjusted; instead of a symbol. */
  readonly history?: readonly Observation[] | null;
}

/** One future session; quantiles by level. */
export interface PredictedStep {
  readonly step: number;
  readonly target_at: Instant;
  readonly mean: number;
  readonly quantiles: Readonly<Record<string, number>>;
}

/** A forecast made on request; it is not an event and is kept nowhere. */
export interface Prediction {
  readonly model: ModelName;
  readonly symbol?: string | null;
  readonly origin: Instant;
  readonly steps: readonly PredictedStep[];
  /** Hash of the input; equal to a forecast's `lineage.input_sha256` if it is. */
  readonly input_sha256: string;
}

/** The answer to a request made on the socket. */
export interface PredictionMessage {
  readonly type: 'prediction';
  /** The request's own. */
  readonly id: string | number | null;
  readonly data: Prediction;
}

/** An error (RFC 9457). */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly FaultItem[] | null;
  /** Seconds after which to ask again. */
  readonly retry_after?: number | null;
}

/** Where a read model stands in one partition. */
export interface Progress {
  readonly name: string;
  readonly topic: string;
  readonly partition: number;
  /** Next offset to read. */
  readonly position: number;
  /** Next offset of the log; null while Kafka does not answer. */
  readonly end: number | null;
  readonly lag: number | null;
  readonly updated_at: Instant | null;
  readonly applied: number;
  readonly fenced: number;
  readonly dead: number;
}

/** Every decision on an alias, newest first: `outcome` MOVED (or null) or KEPT. */
export interface Promotions {
  readonly items: readonly ModelPromoted[];
  readonly position: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The price that the outcome is below with probability `level`. */
export interface Quantile {
  readonly level: number;
  readonly value: number;
}

/** A version that the gate did not let pass, and each rule that it broke. */
export interface Refusal {
  readonly version: string;
  readonly family: string;
  readonly reasons: readonly string[];
}

/** Sent first by a client that comes back: it gets everything since, or a gap for what cannot be had. */
export interface ResumeMessage {
  readonly type: 'resume';
  /** Last offset seen, by topic and partition. */
  readonly positions: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The epochs they were seen in. */
  readonly epochs?: Readonly<Record<string, string>> | null;
}

/** How one step came out; `scale` is the scaled error's denominator. */
export interface Score {
  readonly target_at: Instant;
  readonly bar: SettlingBar;
  readonly actual: number;
  readonly absolute_error: number;
  readonly squared_error: number;
  readonly pinball: readonly PinballLoss[];
  readonly inside_80: boolean;
  readonly inside_95: boolean;
  readonly naive_absolute_error: number;
  readonly scale: number | null;
  readonly recorded_at: Instant;
}

/** Whether a service is ready, and if not, why. */
export interface ServiceState {
  readonly name: string;
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** The bar that settled a forecast step, and where it stands in the log. */
export interface SettlingBar {
  readonly closed_at: Instant;
  readonly revision: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** How a version does live. `skill` is 1 - sum|error| / sum|random walk's error|: above 0 beats it. */
export interface Standing {
  readonly family: string;
  readonly version: string;
  readonly step: number;
  readonly n: number;
  /** How many sessions those scores are of. */
  readonly sessions: number;
  readonly mase: number | null;
  readonly scrps: number | null;
  readonly coverage_80: number | null;
  readonly coverage_95: number | null;
  readonly skill: number | null;
  /** Its 95 % confidence interval, a session being one observation; null below 30 of them. */
  readonly skill_low: number | null;
  readonly skill_high: number | null;
}

/** What there is of a symbol. */
export interface SymbolSummary {
  readonly symbol: string;
  readonly exchange?: string | null;
  readonly currency?: string | null;
  readonly interval?: string | null;
  readonly first_closed_at?: Instant | null;
  readonly last_closed_at?: Instant | null;
  readonly last_recorded_at?: Instant | null;
  readonly last_close?: number | null;
  readonly bars?: number;
  readonly revisions?: number;
  /** The champion's newest: id, origin, model. */
  readonly last_forecast?: Readonly<Record<string, unknown>> | null;
}

/** What opens one WebSocket. */
export interface Ticket {
  readonly ticket: string;
  readonly expires_at: Instant;
}

/** How much a topic and its dead-letter topic hold; null while Kafka is away. */
export interface TopicState {
  readonly name: string;
  /** Messages in all partitions. */
  readonly messages: number | null;
  /** Messages nobody could read, on which nothing was decided yet. */
  readonly dead_letters: number | null;
}

/** What a model was trained on: an offset vector and the hash of its bytes. */
export interface TrainingData {
  readonly inputs: readonly OffsetRange[];
  readonly sha256: string;
  readonly bars: number;
}
