import type { LeaderboardRow } from './api-types';
import { NAIVE } from './families';
import type { Fan } from './forecasts';

/**
 * While the random walk itself is the champion, the best of the others stands beside it: the one with the lowest live
 * sCRPS of those that speak. Before anything was scored, and beside any other champion, there is none.
 */
export function withChallenger(fans: readonly Fan[], standings: readonly LeaderboardRow[]): readonly Fan[] {
  if (!fans.some(({ role, family }) => role === 'CHAMPION' && family === NAIVE)) return fans;
  const scores = new Map(standings.map(({ version, scrps }) => [version, scrps ?? Infinity]));
  const scoreOf = ({ version }: Fan) => scores.get(version) ?? Infinity;
  const best = fans
    .filter((fan) => fan.role === 'SHADOW' && fan.family !== NAIVE && scoreOf(fan) < Infinity)
    .sort((a, b) => scoreOf(a) - scoreOf(b))[0];
  return fans.map((fan) => (fan === best ? { ...fan, role: 'CHALLENGER' } : fan));
}
