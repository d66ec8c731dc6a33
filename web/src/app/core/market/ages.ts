import type { Bar } from './bars';
import type { Fan } from '../forecasts/forecasts';

/** How many of the sessions held (by rising time) have closed since the close a forecast was made at. */
export function ageOf({ origin }: Pick<Fan, 'origin'>, bars: readonly Bar[]): number {
  return bars.length - 1 - bars.findLastIndex(({ time }) => time <= origin);
}

/** A bar is on the screen before the forecast made from it: one session is no sign of trouble, two are. */
export function isStale(age: number): boolean {
  return age > 1;
}

/** `11 sessions old`. */
export function ageSaid(age: number): string {
  return age === 1 ? '1 session old' : `${age} sessions old`;
}
