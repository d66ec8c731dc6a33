import { inject, Injectable } from '@angular/core';
import { firstValueFrom } from 'rxjs';

import { type Adjust, Api } from '../api/api';
import type { Offsets } from '../api/api-types';
import { type Bar, barOf } from './bars';

/** The newest bars of a symbol, and the position in the log that they include. */
export interface BarSnapshot {
  readonly bars: readonly Bar[];
  readonly position: Offsets;
  /** Whether no older bars exist. */
  readonly complete: boolean;
}

/** Bars asked for at first, and each time the view comes to the oldest one held. */
export const PAGE = 500;
/** Most bars asked for in one request. */
const MOST = 2000;

/** Reads of bars over REST, paged. */
@Injectable({ providedIn: 'root' })
export class BarSnapshots {
  private readonly api = inject(Api);

  /** The newest `count` bars, in as many pages as it takes. */
  async newest(symbol: string, count: number, adjust: Adjust = 'splits'): Promise<BarSnapshot> {
    const first = await this.page(symbol, adjust, Math.min(count, MOST));
    let { bars, complete } = first;
    while (!complete && bars.length < count) {
      const older = await this.before(symbol, bars, adjust, MOST);
      if (older.bars.length === 0) break;
      bars = [...older.bars, ...bars];
      complete = older.complete;
    }
    return { bars, complete, position: first.position };
  }

  /** The page of bars before those held. */
  before(symbol: string, held: readonly Bar[], adjust: Adjust, count: number = PAGE): Promise<BarSnapshot> {
    return this.page(symbol, adjust, Math.min(count, MOST), held[0]);
  }

  private async page(symbol: string, adjust: Adjust, limit: number, oldest?: Bar): Promise<BarSnapshot> {
    const before = oldest === undefined ? {} : { before: oldest.closedAt };
    const page = await firstValueFrom(this.api.bars(symbol, { limit, adjust, ...before }));
    return { bars: page.items.map(barOf), position: page.position, complete: page.next === null };
  }
}
