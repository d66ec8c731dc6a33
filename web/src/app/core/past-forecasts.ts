import { inject, Injectable } from '@angular/core';
import { map, type Observable, of, tap } from 'rxjs';

import { Api } from './api';
import { type Fan, fansAt } from './forecasts';

/** More than a champion and its shadows at one origin. */
const LIMIT = 16;
/** Origins remembered: the slider goes back and forth over the same ones. */
const KEPT = 400;

/** Forecasts made at past closes, read one origin at a time and remembered. */
@Injectable({ providedIn: 'root' })
export class PastForecasts {
  private readonly api = inject(Api);
  private readonly known = new Map<string, readonly Fan[]>();

  /** The fans made at the close of `originAt`; empty where nothing was forecast then. */
  at(symbol: string, originAt: string): Observable<readonly Fan[]> {
    const key = `${symbol}|${originAt}`;
    const known = this.known.get(key);
    if (known !== undefined) return of(known);
    return this.api.forecasts(symbol, { origin: originAt, limit: LIMIT }).pipe(
      map(({ items }) => fansAt(items, originAt)),
      tap((fans) => {
        if (this.known.size >= KEPT) this.known.clear();
        if (fans.length > 0) this.known.set(key, fans);
      }),
    );
  }
}
