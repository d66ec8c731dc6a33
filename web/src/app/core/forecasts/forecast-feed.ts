import { computed, effect, inject, Injectable, type Signal, signal, untracked } from '@angular/core';
import { takeUntilDestroyed, toObservable } from '@angular/core/rxjs-interop';
import { EMPTY, type Observable, switchMap, tap } from 'rxjs';

import { Api } from '../api/api';
import type { ForecastsPage } from '../api/api-types';
import { withChallenger } from '../models/challenger';
import { spokenChampion } from '../models/champions';
import type { ForecastIssued } from '../api/events';
import { currentFans, type Fan, fanOf } from './forecasts';
import { EMPTY_LOAD, failed, type LoadState, LOADING, READY } from '../api/load-state';
import { MarketStream } from '../stream/market-stream';
import { ModelBoard } from '../models/model-board';
import { type Batch, liveList } from '../stream/live-list';

/** Enough for the two newest origins of a champion and a handful of shadows. */
const SNAPSHOT = 24;
const HELD = 60;

/** The newest forecasts of one symbol at a time, of the champion and all shadows. */
@Injectable({ providedIn: 'root' })
export class ForecastFeed {
  private readonly api = inject(Api);
  private readonly market = inject(MarketStream);
  private readonly board = inject(ModelBoard);

  private readonly symbol = signal<string | null>(null);
  private readonly held = signal<readonly ForecastIssued[]>([]);
  private readonly state = signal<LoadState>(LOADING);

  readonly load = this.state.asReadonly();
  readonly fans: Signal<readonly Fan[]> = computed(() => {
    const symbol = this.symbol();
    const fans = currentFans(this.held().filter((forecast) => forecast.symbol === symbol), this.board.champion()?.version);
    return withChallenger(fans, this.board.leaderboard());
  });
  readonly champion: Signal<Fan | null> = computed(() => this.fans().find(({ role }) => role === 'CHAMPION') ?? null);

  constructor() {
    effect(() => {
      // A champion speaks that the board does not know as such: it asks who is it now, and all panels change together.
      const spoken = spokenChampion(this.held().map(fanOf));
      if (spoken !== null && spoken !== untracked(this.board.champion)?.version) this.board.ask();
    });
    toObservable(this.symbol)
      .pipe(
        tap(() => {
          this.held.set([]);
          this.state.set(LOADING);
        }),
        switchMap((symbol) => (symbol === null ? EMPTY : this.watch(symbol))),
        takeUntilDestroyed(),
      )
      .subscribe((batch) => {
        if (batch.some(({ type }) => type === 'remade')) this.held.set([]);
        this.take(batch.flatMap((message) => (message.type === 'forecast' ? [message.data] : [])));
      });
  }

  follow(symbol: string): void {
    this.symbol.set(symbol);
  }

  private watch(symbol: string): Observable<Batch> {
    return liveList<ForecastsPage>({
      read: () => this.api.forecasts(symbol, { limit: SNAPSHOT }),
      failed: (problem) => {
        if (this.held().length === 0) this.state.set(failed(problem));
      },
      took: ({ items }) => {
        this.take(items);
      },
      positions: ({ position }) => [position],
      open: (positions) => this.market.forecasts(symbol, positions),
    });
  }

  private take(forecasts: readonly ForecastIssued[]): void {
    if (forecasts.length > 0) {
      const known = new Map([...this.held(), ...forecasts].map((forecast) => [forecast.forecast_id, forecast]));
      this.held.set([...known.values()].sort(byOrigin).slice(0, HELD));
    }
    this.state.set(this.held().length > 0 ? READY : EMPTY_LOAD);
  }
}

function byOrigin(a: ForecastIssued, b: ForecastIssued): number {
  return Date.parse(b.origin) - Date.parse(a.origin);
}
