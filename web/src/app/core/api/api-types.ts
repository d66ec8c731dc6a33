/** The names this app has for the REST answers, whose types are generated from the gateway's OpenAPI. */
import type { Bar, Forecast, Page, Rank } from './rest-types';

export type { CorporateActionAnnounced as CorporateAction, ModelPromoted as Promotion, OffsetRange } from './events';
export type {
  CallerInfo as Caller,
  LineageOf,
  Links,
  MarketHours,
  Model as ModelDecision,
  OwnBars,
  Page,
  Pipeline,
  PredictedStep as PredictionStep,
  Prediction,
  ReadModelProgress,
  ReplayClock,
  Score,
  ServiceState,
  SymbolSummary,
  TopicState,
} from './rest-types';

/** Offsets by topic and partition; a snapshot's are the next ones to read, a socket's the last ones seen. */
export type Offsets = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface Items<T> {
  readonly items: readonly T[];
}

export type BarsPage = Page<Bar>;
export type ForecastsPage = Page<Forecast>;
export type LeaderboardRow = Rank;
