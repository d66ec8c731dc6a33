import type { Fan } from '../../core/forecasts/forecasts';

/** How a fan is drawn: the champion and what was asked for here by their part, all others by their family. */
export const KINDS = ['champion', 'requested', 'naive', 'arima', 'lstm', 'transformer', 'ensemble', 'other'] as const;
export type FanKind = (typeof KINDS)[number];

/** Dashes of the outline in pixels: no two alike, so that fans are told apart without colours, too. Filled: no outline. */
export const DASHES: Readonly<Record<FanKind, readonly number[]>> = {
  champion: [],
  requested: [6, 0],
  naive: [5, 4],
  arima: [1.5, 3],
  lstm: [9, 3],
  transformer: [9, 3, 1.5, 3],
  ensemble: [3, 2],
  other: [1, 6],
};

export function kindOf({ role, family }: Pick<Fan, 'role' | 'family'>): FanKind {
  if (role === 'REQUESTED') return 'requested';
  if (role === 'CHAMPION') return 'champion';
  return KINDS.find((kind) => kind === family) ?? 'other';
}
