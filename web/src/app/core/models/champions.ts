import { NAIVE } from './families';
import type { Fan } from '../forecasts/forecasts';

/** A fan's part, in a word for people. */
export type RoleName = 'champion' | 'former champion' | 'baseline' | 'challenger' | 'shadow' | 'requested';

/**
 * Give fans the roles that they have now. Whose the champion is, one place decides: the registry's alias (`champion`, its
 * version); what forecasts say of themselves was true when they were made. Until the champion has spoken, the one before
 * it is its stand-in, FORMER. Without an alias heard of, the newest that calls itself champion is it.
 */
export function underChampion(fans: readonly Fan[], champion: string | null): readonly Fan[] {
  const spoken = spokenChampion(fans);
  const version = champion ?? spoken;
  const absent = fans.every((fan) => fan.version !== version);
  return fans.map((fan) => {
    if (fan.version === version) return { ...fan, role: 'CHAMPION' };
    if (fan.role !== 'CHAMPION') return fan;
    return { ...fan, role: absent && fan.version === spoken ? 'FORMER' : 'SHADOW' };
  });
}

/** The version that calls itself champion at the newest origin; null where none does. */
export function spokenChampion(fans: readonly Fan[]): string | null {
  const spoken = fans.filter(({ role }) => role === 'CHAMPION').sort((a, b) => b.origin - a.origin || Number(b.version) - Number(a.version));
  return spoken[0]?.version ?? null;
}

export function roleName({ role, family }: Pick<Fan, 'role' | 'family'>): RoleName {
  if (role === 'CHAMPION') return 'champion';
  if (role === 'FORMER') return 'former champion';
  if (role === 'REQUESTED') return 'requested';
  if (role === 'CHALLENGER') return 'challenger';
  return family === NAIVE ? 'baseline' : 'shadow';
}
