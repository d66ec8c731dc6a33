import type { LeaderboardRow } from '../../core/api-types';
import { addsNothing, beats, clicked, ordered } from './standings';

const row = (family: string, changes: Partial<LeaderboardRow> = {}): LeaderboardRow => ({
  family, version: '1', step: 1, n: 10, mase: 1, scrps: 0.01, coverage_80: 0.8, coverage_95: 0.95, skill: 0.1,
  sessions: 10, skill_low: null, skill_high: null, ...changes,
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

  it('say which versions add nothing', () => {
    expect([0.1, 0, -0.1, null].map((skill) => addsNothing(row('arima', { skill })))).toEqual([false, true, true, false]);
  });

  it('say that a version beats the random walk only beyond noise', () => {
    expect([0.01, -0.01, null].map((skill_low) => beats(row('arima', { skill_low })))).toEqual([true, false, false]);
  });
});
