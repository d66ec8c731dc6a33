import type { LineageOf, Score } from '../../core/api/api-types';

/** One settled step of a forecast. */
export interface Outcome extends Score {
  readonly step: number;
  /** Absolute error against the random walk's: below 1 beats it; null where the random walk was exact. */
  readonly against: number | null;
}

/** The steps that are settled, in order. */
export function outcomesOf({ scores }: Pick<LineageOf, 'scores'>): readonly Outcome[] {
  return Object.entries(scores)
    .map(([step, score]) => ({
      ...score,
      step: Number(step),
      against: score.naive_absolute_error > 0 ? score.absolute_error / score.naive_absolute_error : null,
    }))
    .sort((a, b) => a.step - b.step);
}
