import { inject, Injectable } from '@angular/core';
import { firstValueFrom } from 'rxjs';

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
  async at(symbol: string, originAt: string): Promise<readonly Fan[]> {
    const key = `${symbol}|${originAt}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const { items } = await firstValueFrom(this.api.forecasts(symbol, { origin: originAt, limit: LIMIT }));
    const fans = fansAt(items, originAt);
    if (this.known.size >= KEPT) this.known.clear();
    if (fans.length > 0) this.known.set(key, fans);
    return fans;
  }
}
