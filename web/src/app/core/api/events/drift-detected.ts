// Generated from contracts/schemas by `foretick contracts generate`. Do not edit.

import type { Instant } from './moments';

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
