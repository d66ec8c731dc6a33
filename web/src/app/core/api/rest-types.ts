// Generated from the gateway's OpenAPI by `foretick contracts generate`. Do not edit.

/** What the gateway's REST routes take and answer. */
import type { CorporateActionAnnounced, ForecastStep, Instant, Lineage, ModelPromoted, ModelRef, PinballLoss, SettlingBar } from './events';

/** A symbol's splits and dividends, by ex-date. */
export interface Actions {
  readonly items: readonly CorporateActionAnnounced[];
  readonly position: Readonly<Record<string, Readonly<Record<string, number>>>>;
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

/** As whom the gateway knows a caller. */
export interface CallerInfo {
  /** Of the token, or the JWT's subject, or an address. */
  readonly name: string;
  readonly kind: 'address' | 'token' | 'jwt';
  readonly scopes: readonly string[];
  /** When the token ends; null: never, or not by itself. */
  readonly until?: Instant | null;
  /** The caller is a browser that has signed in, and can sign out. */
  readonly session: boolean;
}

/** One fault. */
export interface FaultItem {
  readonly where: string;
  readonly what: string;
}

/** A forecast as it was issued, with its scores so far. */
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
  /** Close of the last bar that the version's training saw; null where not known. */
  readonly trained_until: Instant | null;
  /** By step, as far as it is settled. */
  readonly scores: Readonly<Record<string, Score>>;
}

/** Whether the gateway can do its work, and if not, why. */
export interface Health {
  readonly status: string;
  readonly reasons?: readonly string[];
}

/** All versions, by step and then by what is beyond noise: better, undecided, worse, too few sessions to tell. */
export interface Leaderboard {
  readonly items: readonly Rank[];
  readonly position: Readonly<Record<string, Readonly<Record<string, number>>>>;
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
export interface MarketHours {
  readonly calendar: string;
  readonly open: boolean;
  /** Close of the last session that has ended. */
  readonly last_close: Instant;
  /** Close of the session before that. */
  readonly close_before: Instant;
  /** When it closes, or opens next; null beyond the calendar's end. */
  readonly changes_at: Instant | null;
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

/** A bar of the caller's own. */
export interface OwnBar {
  /** A date, or a moment in UTC, RFC 3339. */
  readonly closed_at: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** What a CSV of the caller's own says, oldest first. */
export interface OwnBars {
  readonly bars: readonly OwnBar[];
  /** It has open, high and low, not closes alone. */
  readonly whole: boolean;
  /** What is wrong with it, in words; mostly nothing. */
  readonly faults: readonly string[];
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Give it as `before` for the next page; null: this was the last. */
  readonly next: string | null;
  /** Next offset by topic and partition: resume a socket from one less and nothing is missed. */
  readonly position: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** How the whole system is doing. */
export interface Pipeline {
  readonly read_models: readonly ReadModelProgress[];
  readonly services: readonly ServiceState[];
  readonly topics: readonly TopicState[];
  readonly links: Links;
  /** The replay exchange's clock; null without one. */
  readonly clock: ReplayClock | null;
  /** Hours of a real exchange; null for a replay, and while producers are away. */
  readonly market: MarketHours | null;
  /** Dead letters nothing was decided on yet; null while Kafka is away. */
  readonly dead_letters: number | null;
}

/** A prediction is asked for: of a symbol, or of a history of the caller's own. */
export interface PredictRequest {
  /** A symbol that the gateway knows; its bars are the history. */
  readonly symbol?: string | null;
  /** ISO 8601 duration of the bars; there are models of daily ones only. */
  readonly interval?: 'P1D';
  /** Sessions ahead. */
  readonly horizon?: number;
  /** Which model at work to ask: an alias, a family or a version; the champion if none is named. */
  readonly model?: string | null;
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
  /** What the forecast should not be read without; mostly nothing. */
  readonly warnings: readonly string[];
  /** Hash of the input; equal to a forecast's `lineage.input_sha256` if it is. */
  readonly input_sha256: string;
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

/** Every decision on an alias, newest first: `outcome` MOVED (or null) or KEPT. */
export interface Promotions {
  readonly items: readonly ModelPromoted[];
  readonly position: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** How a version does live. Skill is 1 - its error / the random walk's of the same forecasts: above 0 beats it. */
export interface Rank {
  readonly family: string;
  /** Of the random walk, which is one line, the newest. */
  readonly version: string;
  readonly step: number;
  /** Settled forecasts from origins that the version's training did not see. */
  readonly n: number;
  /** How many sessions those are of. */
  readonly sessions: number;
  /** Of those, how many the random walk's forecast is settled of, too. */
  readonly paired_sessions: number;
  readonly mase: number | null;
  readonly scrps: number | null;
  readonly coverage_80: number | null;
  readonly coverage_95: number | null;
  /** Of the centre: by |errors|. */
  readonly skill: number | null;
  /** Its 95 % confidence interval, a session being one observation; null below 30 of them. */
  readonly skill_low: number | null;
  readonly skill_high: number | null;
  /** Of the whole distribution: by pinball losses, on paired sessions. */
  readonly crps_skill: number | null;
  readonly crps_skill_low: number | null;
  readonly crps_skill_high: number | null;
  /** Whether its skill (of the distribution where known) is beyond noise; few: below 30 sessions. */
  readonly verdict: 'better' | 'undecided' | 'worse' | 'few' | 'baseline';
}

/** Where a read model stands in one partition. */
export interface ReadModelProgress {
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

/** The replay exchange's clock. */
export interface ReplayClock {
  readonly now: Instant;
  readonly running: boolean;
  readonly seconds_per_session: number;
  readonly finished: boolean;
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
