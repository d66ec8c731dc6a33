import { inject, Injectable } from '@angular/core';
import { forkJoin, map, type Observable, of, tap } from 'rxjs';

import { Api } from '../api/api';
import { currentFans, type Fan, fansAt } from '../forecasts/forecasts';
import { splitsOf } from '../market/actions';
import { barOf } from '../market/bars';
import { type AsOf, championAt, endOf, sinceOf } from './as-of';

/** More than a champion and its shadows at one origin. */
const FORECASTS = 16;
/** Origins remembered: a slider goes back and forth over the same ones. */
const KEPT = 400;
const BARS = 250;
/** Closes read of what came since: the first few of them count. */
const LATER = 5000;

/** Reads the past: what was forecast at a close, and what was known at the end of a day. */
@Injectable({ providedIn: 'root' })
export class PastReads {
  private readonly api = inject(Api);
  private readonly known = new Map<string, readonly Fan[]>();

  /** The fans made at the close of `originAt`, remembered; empty where nothing was forecast then. */
  fansAt(symbol: string, originAt: string): Observable<readonly Fan[]> {
    const key = `${symbol}|${originAt}`;
    const known = this.known.get(key);
    if (known !== undefined) return of(known);
    return this.api.forecasts(symbol, { origin: originAt, limit: FORECASTS }).pipe(
      map(({ items }) => fansAt(items, originAt)),
      tap((fans) => {
        if (this.known.size >= KEPT) this.known.clear();
        if (fans.length > 0) this.known.set(key, fans);
      }),
    );
  }

  /** What was known and said at the end of a day (`2012-03-05`), and what came after it. */
  asOf(symbol: string, day: string): Observable<AsOf> {
    const as_of = endOf(day);
    return forkJoin([
      this.api.bars(symbol, { as_of, adjust: 'splits', limit: BARS }),
      this.api.forecasts(symbol, { as_of, limit: FORECASTS }),
      this.api.actions(symbol, { as_of }),
      this.api.promotions(),
      this.api.bars(symbol, { adjust: 'none', start: as_of, limit: LATER }),
      this.api.actions(symbol),
    ]).pipe(
      map(([known, forecasts, actions, moves, traded, announced]) => {
        const bars = known.items.map(barOf);
        return {
          at: as_of,
          day,
          symbol,
          bars,
          since: sinceOf(bars, traded.items.map(barOf), splitsOf(announced.items)),
          fans: currentFans(forecasts.items),
          actions: actions.items,
          champion: championAt(moves.items, as_of),
          firstPromotion: moves.items.at(-1)?.decided_at ?? null,
        };
      }),
    );
  }
}
