import { sessionOf } from '../../core/market/actions';
import type { CorporateAction, Promotion } from '../../core/api/api-types';
import { type Bar, secondsOf } from '../../core/market/bars';
import { familyName } from '../../core/models/families';

/** Something that happened at a bar. */
export interface Mark {
  readonly time: number;
  readonly kind: 'split' | 'dividend' | 'promotion';
  readonly text: string;
}

/** What to mark on bars (by rising time): splits and dividends at their ex-date, promotions of a champion. */
export function marksOf(
  bars: readonly Bar[],
  actions: readonly CorporateAction[],
  promotions: readonly Promotion[],
): readonly Mark[] {
  const last = bars.at(-1);
  const first = bars[0];
  if (first === undefined || last === undefined) return [];
  const sessions = bars.map(({ time }) => sessionOf(time));
  const ofActions = actions.flatMap((action): Mark[] => {
    const at = sessions.findIndex((session) => session >= action.ex_date);
    const bar = bars[at];
    // An action before the oldest bar held belongs to a bar that is not held.
    if (bar === undefined || (at === 0 && sessions[0] !== action.ex_date)) return [];
    if (action.kind === 'SPLIT' && action.ratio != null) return [{ time: bar.time, kind: 'split', text: `${round(action.ratio)}:1` }];
    if (action.kind !== 'DIVIDEND' || action.amount == null) return [];
    return [{ time: bar.time, kind: 'dividend', text: `D ${round(action.amount)}` }];
  });
  const ofPromotions = promotions.flatMap((promotion): Mark[] => {
    const decided = secondsOf(promotion.decided_at);
    if (promotion.alias !== 'champion' || promotion.outcome === 'KEPT' || decided < first.time) return [];
    const bar = bars.find(({ time }) => time >= decided) ?? last;
    return [{ time: bar.time, kind: 'promotion', text: `${familyName(promotion.family)} v${promotion.version}` }];
  });
  return [...ofActions, ...ofPromotions].sort((a, b) => a.time - b.time);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
