import { forecast } from '../../testing/samples';
import type { LeaderboardRow } from './api-types';
import { withChallenger } from './challenger';
import { fanOf } from './forecasts';

const standing = (version: string, scrps: number | null): LeaderboardRow => ({
  family: '', version, step: 1, n: 25, skill: null, mase: null, scrps, coverage_80: null, coverage_95: null,
  sessions: 5, skill_low: null, skill_high: null,
});
const fans = (champion: string) =>
  ['naive', 'lstm', 'transformer'].map((family, at) =>
    fanOf(forecast(3, { family, version: String(at + 1), role: family === champion ? 'CHAMPION' : 'SHADOW' })),
  );
const roles = (champion: string, ...standings: readonly LeaderboardRow[]) =>
  withChallenger(fans(champion), standings).map(({ role }) => role);

describe('withChallenger', () => {
  it('sets the best of the others beside a random walk that is the champion', () => {
    expect(roles('naive', standing('1', 0.01), standing('2', 0.013), standing('3', 0.012))).toEqual(['CHAMPION', 'SHADOW', 'CHALLENGER']);
    expect(roles('naive', standing('2', 0.013), standing('3', null))).toEqual(['CHAMPION', 'CHALLENGER', 'SHADOW']);
  });

  it('names none before anything was scored, nor a version that no longer speaks', () => {
    expect(roles('naive', standing('9', 0.001), standing('1', 0.01))).toEqual(['CHAMPION', 'SHADOW', 'SHADOW']);
  });

  it('names none beside a trained champion', () => {
    expect(roles('lstm', standing('1', 0.01), standing('3', 0.012))).toEqual(['SHADOW', 'CHAMPION', 'SHADOW']);
  });
});
