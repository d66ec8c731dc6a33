import type { LeaderboardRow } from '../api/api-types';
import { NAIVE } from './families';
import type { Fan } from '../forecasts/forecasts';

/**
 * While the random walk itself is the champion, the best of the others stands beside it: of those that speak, the first
 * of the standings, which go by what is beyond noise. Before anything was scored, and beside any other champion, there
 * is none.
 */
export function withChallenger(fans: readonly Fan[], standings: readonly LeaderboardRow[]): readonly Fan[] {
  if (!fans.some(({ role, family }) => role === 'CHAMPION' && family === NAIVE)) return fans;
  const ranks = new Map(standings.map(({ version }, rank) => [version, rank]));
  const rankOf = ({ version }: Fan) => ranks.get(version) ?? Infinity;
  const best = fans
    .filter((fan) => fan.role === 'SHADOW' && fan.family !== NAIVE && rankOf(fan) < Infinity)
    .sort((a, b) => rankOf(a) - rankOf(b))[0];
  return fans.map((fan) => (fan === best ? { ...fan, role: 'CHALLENGER' } : fan));
}
