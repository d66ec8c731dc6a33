import { secondsOf } from '../../../core/market/bars';
import { familyName } from '../../../core/models/families';
import { type Fan, tally } from '../../../core/forecasts/forecasts';
import type { Written } from './histories';

export interface WalkFacts {
  /** The close looked from; null: the newest. */
  readonly originAt: string | null;
  /** What was forecast there; null while it is being read. */
  readonly fans: readonly Fan[] | null;
  readonly failed: boolean;
  /** How many sessions one can walk back. */
  readonly furthest: number;
  /** Close of the oldest bar held, seconds since the epoch. */
  readonly oldest: number | null;
  /** When the first model was promoted, if one was: before, nothing can have been forecast. */
  readonly firstPromotion: string | null;
  readonly closes: ReadonlyMap<number, number>;
}

/** What the slider over past forecasts says of the place where it is. `day`, `date`: a time written with and without its weekday. */
export function walkSaid(facts: WalkFacts, day: Written, date: Written): string {
  const { originAt, fans, oldest, firstPromotion } = facts;
  if (facts.furthest === 0) return oldest === null ? 'no bars to walk back through' : `no bars before ${date(oldest)}`;
  if (originAt === null) return 'the newest forecast';
  const at = secondsOf(originAt);
  if (facts.failed) return `${day(at)}: could not be read`;
  if (fans === null) return `${day(at)}: reading …`;
  const champion = fans.find(({ role }) => role === 'CHAMPION') ?? fans[0];
  if (champion === undefined) {
    const first = firstPromotion === null ? null : secondsOf(firstPromotion);
    return first !== null && at < first ? `${day(at)}: no forecasts before ${date(first)}` : `${day(at)}: nothing was forecast at this close`;
  }
  const { n, inside80, inside95 } = tally(champion, facts.closes);
  return `${day(at)}: ${familyName(champion.family)}, of ${n} closes since ${inside80} inside 80 %, ${inside95} inside 95 %`;
}
