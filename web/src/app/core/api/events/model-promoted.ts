// Generated from contracts/schemas by `foretick contracts generate`. Do not edit.

import type { Instant } from './moments';

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
