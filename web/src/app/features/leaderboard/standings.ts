import type { LeaderboardRow } from '../../core/api/api-types';
import { familyName } from '../../core/models/families';
import { skillOf } from '../../core/models/skills';

/** A column by which versions can be put in order. */
export type Column = 'family' | 'step' | 'sessions' | 'skill' | 'centre' | 'mase' | 'scrps' | 'coverage_80' | 'coverage_95';

export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

/** Columns where more is better, so that the first click puts the best on top. */
const MORE_IS_BETTER: ReadonlySet<Column> = new Set<Column>(['sessions', 'skill', 'centre']);
const NOMINAL: Partial<Record<Column, number>> = { coverage_80: 0.8, coverage_95: 0.95 };

/** What is beyond noise comes first, what is too short to tell last. */
const VERDICTS: readonly LeaderboardRow['verdict'][] = ['better', 'undecided', 'baseline', 'worse', 'few'];

/**
 * Rows in order; a figure that is missing comes last either way, and so does a line of too few sessions; skill goes by
 * what is beyond noise first, coverage by its distance from the nominal one.
 */
export function ordered(rows: readonly LeaderboardRow[], { column, descending }: Order): readonly LeaderboardRow[] {
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    if (column === 'family') return sign * nameOf(a).localeCompare(nameOf(b)) || a.step - b.step;
    if (isShort(a) !== isShort(b)) return Number(isShort(a)) - Number(isShort(b));
    const verdict = column === 'skill' ? sign * (VERDICTS.indexOf(b.verdict) - VERDICTS.indexOf(a.verdict)) : 0;
    const [x, y] = [measure(a, column), measure(b, column)];
    if (verdict !== 0) return verdict;
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return sign * (x - y) || a.step - b.step || nameOf(a).localeCompare(nameOf(b));
  });
}

/** The order that a click on a column's heading asks for. */
export function clicked(column: Column, before: Order): Order {
  if (before.column === column) return { column, descending: !before.descending };
  return { column, descending: MORE_IS_BETTER.has(column) };
}

/** Whether a line has too few sessions to tell its skill from noise. */
export function isShort({ verdict }: LeaderboardRow): boolean {
  return verdict === 'few';
}

function nameOf({ family, version }: LeaderboardRow): string {
  return `${familyName(family)} ${version.padStart(6, '0')}`;
}

function measure(row: LeaderboardRow, column: Exclude<Column, 'family'>): number | null {
  if (column === 'skill') return skillOf(row).value;
  if (column === 'centre') return row.skill;
  const value = row[column];
  const nominal = NOMINAL[column];
  return value === null || nominal === undefined ? value : Math.abs(value - nominal);
}
