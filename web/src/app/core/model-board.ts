import { computed, inject, Injectable, type Signal, signal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { catchError, EMPTY, exhaustMap, filter, type Observable, timer } from 'rxjs';

import { Api } from './api';
import type { LeaderboardRow, ModelDecision, Promotion } from './api-types';
import { EMPTY_LOAD, failed, type Load, LOADING, READY } from './loads';
import { problemOf } from './problems';

const EVERY = 5000;
/** Champions change a few times a day at most. */
const SELDOM = 20_000;

/** How often closes lay inside a version's intervals, one session ahead. */
export interface Realised {
  readonly coverage80: number;
  readonly coverage95: number;
  readonly n: number;
}

/** Which models stand, and how they have done so far. */
@Injectable({ providedIn: 'root' })
export class ModelBoard {
  private readonly api = inject(Api);
  private readonly decisions = signal<readonly ModelDecision[]>([]);
  private readonly standings = signal<readonly LeaderboardRow[]>([]);

  private readonly moves = signal<readonly Promotion[]>([]);

  readonly promotionsLoad = signal<Load>(LOADING);
  readonly promotions = this.moves.asReadonly();
  readonly modelsLoad = signal<Load>(LOADING);
  readonly leaderboardLoad = signal<Load>(LOADING);
  readonly models = this.decisions.asReadonly();
  readonly leaderboard = this.standings.asReadonly();
  readonly champion: Signal<ModelDecision | null> = computed(
    () => this.models().find(({ alias }) => alias === 'champion') ?? null,
  );

  constructor() {
    this.poll(() => this.api.models(), this.decisions, this.modelsLoad);
    this.poll(() => this.api.leaderboard({ step: 1 }), this.standings, this.leaderboardLoad);
    this.poll(() => this.api.promotions(), this.moves, this.promotionsLoad, SELDOM);
  }

  /** Live coverage of a version's intervals, one step ahead, once something was scored. */
  realised(version: string): Realised | null {
    const row = this.leaderboard().find((one) => one.version === version);
    if (row?.coverage_80 == null || row.coverage_95 == null) return null;
    return { coverage80: row.coverage_80, coverage95: row.coverage_95, n: row.n };
  }

  private poll<T>(
    ask: () => Observable<{ readonly items: readonly T[] }>,
    into: { set(items: readonly T[]): void },
    load: { set(load: Load): void; (): Load },
    every = EVERY,
  ): void {
    timer(0, every)
      .pipe(
        filter(() => document.visibilityState === 'visible'),
        exhaustMap(() =>
          ask().pipe(
            catchError((error: unknown) => {
              // What was read before stays on the screen; the first failure must say why there is nothing.
              if (load().status !== 'ready') load.set(failed(problemOf(error)));
              return EMPTY;
            }),
          ),
        ),
        takeUntilDestroyed(),
      )
      .subscribe(({ items }) => {
        into.set(items);
        load.set(items.length > 0 ? READY : EMPTY_LOAD);
      });
  }
}
