import { computed, effect, inject, Injectable, type Signal, signal, untracked } from '@angular/core';
import { takeUntilDestroyed, toObservable } from '@angular/core/rxjs-interop';
import { defer, EMPTY, type Observable, repeat, retry, switchMap, takeWhile, tap, timer } from 'rxjs';

import { Api } from './api';
import { batched, FRAME } from './batches';
import { withChallenger } from './challenger';
import { spokenChampion } from './champions';
import type { ForecastIssued } from './events';
import { currentFans, type Fan, fanOf } from './forecasts';
import { EMPTY_LOAD, failed, type Load, LOADING, READY } from './loads';
import { MarketStream } from './market-stream';
import { ModelBoard } from './model-board';
import { problemOf } from './problems';
import type { Anew } from './resuming-socket';
import type { StreamMessage } from './stream-messages';

/** Enough for the two newest origins of a champion and a handful of shadows. */
const SNAPSHOT = 24;
const HELD = 60;
const RETRY = 3000;

/** The newest forecasts of one symbol at a time, of the champion and all shadows. */
@Injectable({ providedIn: 'root' })
export class ForecastFeed {
  private readonly api = inject(Api);
  private readonly market = inject(MarketStream);
  private readonly board = inject(ModelBoard);

  private readonly symbol = signal<string | null>(null);
  private readonly held = signal<readonly ForecastIssued[]>([]);
  private readonly state = signal<Load>(LOADING);

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
        this.take(batch.flatMap((message) => (message.type === 'forecast' ? [message.data] : [])));
      });
  }

  follow(symbol: string): void {
    this.symbol.set(symbol);
  }

  /** Snapshot, then the stream from there; after a gap, both again. */
  private watch(symbol: string): Observable<readonly (StreamMessage | Anew)[]> {
    return defer(() => this.api.forecasts(symbol, { limit: SNAPSHOT })).pipe(
      retry({
        delay: (error) => {
          this.state.set(failed(problemOf(error)));
          return timer(RETRY);
        },
      }),
      switchMap(({ items, position }) => {
        this.held.set([]);
        this.take(items);
        return this.market.forecasts(symbol, [position]).socket.messages.pipe(
          takeWhile(({ type }) => type !== 'gap' && type !== 'anew'),
          batched(FRAME),
        );
      }),
      repeat({ delay: RETRY }),
    );
  }

  private take(forecasts: readonly ForecastIssued[]): void {
    if (forecasts.length > 0) {
      this.held.update((held) => [...held, ...forecasts].sort(byOrigin).slice(0, HELD));
    }
    this.state.set(this.held().length > 0 ? READY : EMPTY_LOAD);
  }
}

function byOrigin(a: ForecastIssued, b: ForecastIssued): number {
  return Date.parse(b.origin) - Date.parse(a.origin);
}
