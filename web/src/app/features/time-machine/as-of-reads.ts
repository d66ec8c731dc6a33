import { inject, Injectable } from '@angular/core';
import { forkJoin, map, type Observable } from 'rxjs';

import { splitsOf } from '../../core/actions';
import { Api } from '../../core/api';
import { barOf } from '../../core/bars';
import { currentFans } from '../../core/forecasts';
import { type AsOf, championAt, endOf, sinceOf } from './as-of';

const BARS = 250;
const FORECASTS = 16;
/** Closes read of what came since: the first few of them count. */
const LATER = 5000;

/** Reads what was known at the end of a day, and what came after it. */
@Injectable({ providedIn: 'root' })
export class AsOfReads {
  private readonly api = inject(Api);

  at(symbol: string, day: string): Observable<AsOf> {
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
