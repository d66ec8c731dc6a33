// Generated from the gateway's OpenAPI by `foretick contracts generate`. Do not edit.

/** What goes over the gateway's WebSockets. */
import type { BarClosed, ForecastIssued, Instant } from './events';
import type { Observation, Prediction, ProblemDetails } from './rest-types';

/** A prediction is asked for on `/forecast`; the answer carries the `id`. */
export interface AskMessage {
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
  /** Comes back with the answer. */
  readonly id?: string | number | null;
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
  readonly data: BarClosed;
}

/** What was wrong with a message of the client; the socket stays open. */
export interface ErrorMessage {
  readonly type: 'error';
  /** The request's own, null if it had none. */
  readonly id: string | number | null;
  readonly error: ProblemDetails;
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
  readonly data: ForecastIssued;
}

/** Offsets, both ends included, that do not come on this socket: fetch again what is shown of this partition. */
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

/** Sent every 2 seconds; three missing are worth telling, and after seven the connection is dead. */
export interface HeartbeatMessage {
  readonly type: 'heartbeat';
  readonly at: Instant;
  /** Whether Kafka can be read just now. */
  readonly source: 'starting' | 'live' | 'away';
}

/** The first message, and again if the log begins again: what comes next follows these positions. */
export interface HelloMessage {
  readonly type: 'hello';
  readonly epochs: Readonly<Record<string, string>>;
  /** Last offset before the live stream, by partition. */
  readonly positions: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly source: 'starting' | 'live' | 'away';
}

/** The answer to a request made on the socket. */
export interface PredictionMessage {
  readonly type: 'prediction';
  /** The request's own. */
  readonly id: string | number | null;
  readonly data: Prediction;
}

/** Sent first by a client that comes back: it gets everything since, or a gap for what cannot be had. */
export interface ResumeMessage {
  readonly type: 'resume';
  /** Last offset seen, by topic and partition. */
  readonly positions: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The epochs they were seen in. */
  readonly epochs?: Readonly<Record<string, string>> | null;
}
