import type { Prediction } from '../api/api-types';
import { secondsOf } from '../market/bars';
import { underChampion } from '../models/champions';
import type { ForecastIssued, Role } from '../api/events';

/** One future session of a fan: what the outcome is below with probability 2.5, 10, 25, 50, 75, 90 and 97.5 %. */
export interface FanStep {
  readonly step: number;
  readonly time: number;
  readonly targetAt: string;
  readonly low95: number;
  readonly low80: number;
  readonly low50: number;
  readonly median: number;
  readonly high50: number;
  readonly high80: number;
  readonly high95: number;
}

/** A forecast in the one form that chart and tables share. */
export interface Fan {
  /** Names the forecast's lineage; null where it was not issued as an event. */
  readonly id: string | null;
  readonly family: string;
  readonly version: string;
  /**
   * CHALLENGER: the shadow beside a random walk that is the champion. FORMER: stands in for a champion that has not spoken
   * yet. REQUESTED: asked for here, not issued as an event.
   */
  readonly role: Role | 'CHALLENGER' | 'FORMER' | 'REQUESTED';
  readonly origin: number;
  readonly originAt: string;
  readonly steps: readonly FanStep[];
}

export function fanOf(forecast: ForecastIssued): Fan {
  const { model, origin } = forecast;
  return {
    id: forecast.forecast_id,
    family: model.family,
    version: model.version,
    role: model.role,
    origin: secondsOf(origin),
    originAt: origin,
    steps: forecast.steps.flatMap(({ step, target_at, mean, quantiles }) =>
      stepOf(step, target_at, mean, new Map(quantiles.map(({ level, value }) => [level, value]))),
    ),
  };
}

export function fanOfPrediction(prediction: Prediction): Fan {
  const { model, origin } = prediction;
  return {
    id: null,
    family: model.family,
    version: model.version,
    role: 'REQUESTED',
    origin: secondsOf(origin),
    originAt: origin,
    steps: prediction.steps.flatMap(({ step, target_at, mean, quantiles }) =>
      stepOf(step, target_at, mean, new Map(Object.entries(quantiles).map(([level, value]) => [Number(level), value]))),
    ),
  };
}

/**
 * A step without the four outer quantiles cannot be drawn as a fan and is left out; a missing median is the mean, and
 * a missing quartile the median.
 */
function stepOf(step: number, targetAt: string, mean: number, quantiles: ReadonlyMap<number, number>): FanStep[] {
  const [low95, low80, high80, high95] = [0.025, 0.1, 0.9, 0.975].map((level) => quantiles.get(level));
  if (low95 === undefined || low80 === undefined || high80 === undefined || high95 === undefined) return [];
  const median = quantiles.get(0.5) ?? mean;
  const [low50, high50] = [quantiles.get(0.25) ?? median, quantiles.get(0.75) ?? median];
  return [{ step, time: secondsOf(targetAt), targetAt, low95, low80, low50, median, high50, high80, high95 }];
}

/**
 * The fans to show: the newest of each model version, as long as its origin is one of the two newest; the champion
 * first, then the random walk, then by family. While the forecasts of a new bar come in one by one, the others stay.
 * After a training a family's former version has spoken of the same bar, too: only the champion is shown beside the newer.
 * `champion`: the version that is it now; null where the forecasts' own word counts, as of the past.
 */
export function currentFans(forecasts: readonly ForecastIssued[], champion: string | null = null): readonly Fan[] {
  const newest = new Map<string, ForecastIssued>();
  for (const forecast of forecasts) {
    const known = newest.get(forecast.model.version);
    if (known === undefined || isNewer(forecast, known)) newest.set(forecast.model.version, forecast);
  }
  const origins = [...new Set([...newest.values()].map(({ origin }) => secondsOf(origin)))].sort((a, b) => b - a);
  const oldest = origins[1] ?? origins[0] ?? 0;
  const fans = [...newest.values()].map(fanOf).filter((fan) => fan.origin >= oldest);
  return withoutFormer(underChampion(fans, champion)).sort((a, b) => rank(a) - rank(b) || a.family.localeCompare(b.family));
}

function isNewer(a: ForecastIssued, b: ForecastIssued): boolean {
  return secondsOf(a.origin) - secondsOf(b.origin) > 0 || (a.origin === b.origin && a.issued_at > b.issued_at);
}

/** Of a family's versions that are no champion, only the newest. */
function withoutFormer(fans: readonly Fan[]): Fan[] {
  const newer = (a: Fan, b: Fan) => a.origin - b.origin || Number(a.version) - Number(b.version);
  return fans.filter(
    (fan) => fan.role === 'CHAMPION' || fans.every((other) => other.family !== fan.family || newer(other, fan) <= 0),
  );
}

/** The fans of one origin: the champion first, then the random walk, then by family. */
export function fansAt(forecasts: readonly ForecastIssued[], originAt: string): readonly Fan[] {
  const origin = secondsOf(originAt);
  return currentFans(forecasts.filter((forecast) => secondsOf(forecast.origin) === origin));
}

/** A fan in other share terms: every price divided by `factor`. */
export function scaledFan(fan: Fan, factor: number): Fan {
  if (factor === 1) return fan;
  const steps = fan.steps.map((step) => ({
    ...step,
    low95: step.low95 / factor,
    low80: step.low80 / factor,
    low50: step.low50 / factor,
    median: step.median / factor,
    high50: step.high50 / factor,
    high80: step.high80 / factor,
    high95: step.high95 / factor,
  }));
  return { ...fan, steps };
}

/** How many of a fan's sessions have closed, and how many of those closes lay inside its intervals. */
export interface Tally {
  readonly n: number;
  readonly inside80: number;
  readonly inside95: number;
}

/** Hold a fan's intervals against the closes that came, by time (seconds since the epoch). */
export function tally(fan: Fan, closes: ReadonlyMap<number, number>): Tally {
  const settled = fan.steps.flatMap(({ time, ...step }) => {
    const close = closes.get(time);
    return close === undefined ? [] : [{ close, ...step }];
  });
  return {
    n: settled.length,
    inside80: settled.filter(({ close, low80, high80 }) => low80 <= close && close <= high80).length,
    inside95: settled.filter(({ close, low95, high95 }) => low95 <= close && close <= high95).length,
  };
}

function rank(fan: Fan): number {
  if (fan.role === 'CHAMPION' || fan.role === 'FORMER') return 0;
  return fan.family === 'naive' ? 1 : 2;
}
