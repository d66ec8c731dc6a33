import type { LeaderboardRow } from '../../core/api/api-types';
import { centreOf, skillOf, toneOf } from '../../core/models/skills';
import { clicked, ordered } from './standings';

const row = (family: string, changes: Partial<LeaderboardRow> = {}): LeaderboardRow => ({
  family, version: '1', step: 1, n: 10, mase: 1, scrps: 0.01, coverage_80: 0.8, coverage_95: 0.95, skill: 0.1,
  sessions: 10, paired_sessions: 10, skill_low: null, skill_high: null, crps_skill: null, crps_skill_low: null, crps_skill_high: null,
  verdict: 'undecided', ...changes,
});
const families = (rows: readonly LeaderboardRow[]) => rows.map(({ family }) => family);

describe('standings', () => {
  it('put a missing figure last, whichever way', () => {
    const rows = [row('lstm', { skill: null }), row('arima', { skill: -0.2 }), row('naive', { skill: 0.3 })];
    expect(families(ordered(rows, { column: 'skill', descending: true }))).toEqual(['naive', 'arima', 'lstm']);
    expect(families(ordered(rows, { column: 'skill', descending: false }))).toEqual(['arima', 'naive', 'lstm']);
  });

  it('count coverage by its distance from what was promised', () => {
    const rows = [row('lstm', { coverage_95: 1 }), row('arima', { coverage_95: 0.94 })];
    expect(families(ordered(rows, { column: 'coverage_95', descending: false }))).toEqual(['arima', 'lstm']);
  });

  it('turn round at a second click and begin with the best at the first', () => {
    const bySkill = clicked('skill', { column: 'mase', descending: false });
    expect(bySkill).toEqual({ column: 'skill', descending: true });
    expect(clicked('skill', bySkill)).toEqual({ column: 'skill', descending: false });
    expect(clicked('mase', bySkill)).toEqual({ column: 'mase', descending: false });
  });

  it('go by what is beyond noise before the figure, and put too few sessions last', () => {
    const rows = [
      row('lstm', { crps_skill: 0.3, verdict: 'few' }), row('arima', { crps_skill: 0.02, verdict: 'undecided' }),
      row('naive', { crps_skill: 0, verdict: 'baseline' }), row('ensemble', { crps_skill: 0.01, verdict: 'better' }),
      row('transformer', { crps_skill: -0.02, verdict: 'worse' }),
    ];
    expect(families(ordered(rows, { column: 'skill', descending: true }))).toEqual(['ensemble', 'arima', 'naive', 'transformer', 'lstm']);
    expect(families(ordered(rows, { column: 'skill', descending: false }))).toEqual(['transformer', 'naive', 'arima', 'ensemble', 'lstm']);
  });

  it('colour a skill only beyond noise', () => {
    const intervals: readonly (readonly [number | null, number | null])[] = [[0.01, 0.03], [-0.01, 0.03], [-0.03, -0.01], [null, null]];
    const tones = intervals.map(([low, high]) => toneOf(centreOf(row('arima', { skill_low: low, skill_high: high }))));
    expect(tones).toEqual(['skill-good', '', 'skill-bad', '']);
  });

  it('have the skill of the whole distribution, or of the centre where that is all there is', () => {
    expect(skillOf(row('arima', { crps_skill: 0.02 })).value).toBe(0.02);
    expect(skillOf(row('arima')).value).toBe(0.1);
  });
});
