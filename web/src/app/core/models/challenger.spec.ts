import { forecast } from '../../../testing/samples';
import type { LeaderboardRow } from '../api/api-types';
import { withChallenger } from './challenger';
import { fanOf } from '../forecasts/forecasts';

const standing = (version: string): LeaderboardRow => ({
  family: '', version, step: 1, n: 25, skill: null, mase: null, scrps: null, coverage_80: null, coverage_95: null,
  sessions: 5, paired_sessions: 5, skill_low: null, skill_high: null, crps_skill: null, crps_skill_low: null, crps_skill_high: null,
  verdict: 'few',
});
const fans = (champion: string) =>
  ['naive', 'lstm', 'transformer'].map((family, at) =>
    fanOf(forecast(3, { family, version: String(at + 1), role: family === champion ? 'CHAMPION' : 'SHADOW' })),
  );
const roles = (champion: string, ...standings: readonly LeaderboardRow[]) =>
  withChallenger(fans(champion), standings).map(({ role }) => role);

describe('withChallenger', () => {
  it('sets the first of the others in the standings beside a random walk that is the champion', () => {
    expect(roles('naive', standing('1'), standing('3'), standing('2'))).toEqual(['CHAMPION', 'SHADOW', 'CHALLENGER']);
    expect(roles('naive', standing('2'))).toEqual(['CHAMPION', 'CHALLENGER', 'SHADOW']);
  });

  it('names none before anything was scored, nor a version that no longer speaks', () => {
    expect(roles('naive', standing('9'), standing('1'))).toEqual(['CHAMPION', 'SHADOW', 'SHADOW']);
  });

  it('names none beside a trained champion', () => {
    expect(roles('lstm', standing('1'), standing('3'))).toEqual(['SHADOW', 'CHAMPION', 'SHADOW']);
  });
});
