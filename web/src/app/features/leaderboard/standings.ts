import type { LeaderboardRow } from '../../core/api-types';
import { familyName } from '../../core/families';

/** A column by which versions can be put in order. */
export type Column = 'family' | 'step' | 'n' | 'skill' | 'mase' | 'scrps' | 'coverage_80' | 'coverage_95';

export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

/** Columns where more is better, so that the first click puts the best on top. */
const MORE_IS_BETTER: ReadonlySet<Column> = new Set<Column>(['n', 'skill']);
const NOMINAL: Partial<Record<Column, number>> = { coverage_80: 0.8, coverage_95: 0.95 };

/** Rows in order; a figure that is missing comes last either way, coverage counts by its distance from the nominal one. */
export function ordered(rows: readonly LeaderboardRow[], { column, descending }: Order): readonly LeaderboardRow[] {
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    if (column === 'family') return sign * nameOf(a).localeCompare(nameOf(b)) || a.step - b.step;
    const [x, y] = [measure(a, column), measure(b, column)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return sign * (x - y) || a.step - b.step || nameOf(a).localeCompare(nameOf(b));
  });
}

/** The order that a click on a column's heading asks for. */
export function clicked(column: Column, before: Order): Order {
  if (before.column === column) return { column, descending: !before.descending };
  return { column, descending: MORE_IS_BETTER.has(column) };
}

/** Whether a version adds nothing to the random walk's point forecast. */
export function addsNothing({ skill }: LeaderboardRow): boolean {
  return skill !== null && skill <= 0;
}

/** Whether a version beats the random walk's point forecast by more than noise. */
export function beats({ skill_low }: LeaderboardRow): boolean {
  return skill_low !== null && skill_low > 0;
}

function nameOf({ family, version }: LeaderboardRow): string {
  return `${familyName(family)} ${version.padStart(6, '0')}`;
}

function measure(row: LeaderboardRow, column: Exclude<Column, 'family'>): number | null {
  const value = row[column];
  const nominal = NOMINAL[column];
  return value === null || nominal === undefined ? value : Math.abs(value - nominal);
}
