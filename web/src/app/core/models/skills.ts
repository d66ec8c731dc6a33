import type { LeaderboardRow } from '../api/api-types';

/** How much less a version errs than the random walk, with its 95 % confidence interval. */
export interface Skill {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** Of the whole distribution; of the centre where the random walk's distribution was not settled beside it. */
export function skillOf(row: LeaderboardRow): Skill {
  return row.crps_skill === null ? centreOf(row) : { value: row.crps_skill, low: row.crps_skill_low, high: row.crps_skill_high };
}

/** Of the centre alone. */
export function centreOf(row: LeaderboardRow): Skill {
  return { value: row.skill, low: row.skill_low, high: row.skill_high };
}

/** The class of a skill: coloured only beyond noise. */
export function toneOf({ low, high }: Skill): '' | 'skill-good' | 'skill-bad' {
  if (low !== null && low > 0) return 'skill-good';
  return high !== null && high < 0 ? 'skill-bad' : '';
}
