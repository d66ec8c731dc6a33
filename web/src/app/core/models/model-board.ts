import { computed, inject, Injectable, type Signal, signal, type WritableSignal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { catchError, exhaustMap, filter, merge, type Observable, of, Subject, timer } from 'rxjs';

import { Api } from '../api/api';
import type { LeaderboardRow, ModelDecision, Promotion } from '../api/api-types';
import { EMPTY_LOAD, failed, type LoadState, LOADING, READY } from '../api/load-state';
import { type Problem, problemOf } from '../api/problems';

const EVERY = 5000;
/** Champions change a few times a day at most. */
const SELDOM = 20_000;

/** How often closes lay inside a version's intervals, one session ahead. */
export interface Realised {
  readonly coverage80: number;
  readonly coverage95: number;
  readonly n: number;
}

/** Which models stand, and how they have done so far. Who is champion, one answer says; when it changes, the rest is read, too. */
@Injectable({ providedIn: 'root' })
export class ModelBoard {
  private readonly api = inject(Api);
  private readonly decisions = signal<readonly ModelDecision[]>([]);
  private readonly standings = signal<readonly LeaderboardRow[]>([]);
  private readonly moves = signal<readonly Promotion[]>([]);
  private readonly asked = new Subject<void>();
  private readonly moved = new Subject<void>();

  readonly promotionsLoad = signal<LoadState>(LOADING);
  readonly promotions = this.moves.asReadonly();
  readonly modelsLoad = signal<LoadState>(LOADING);
  readonly leaderboardLoad = signal<LoadState>(LOADING);
  readonly models = this.decisions.asReadonly();
  readonly leaderboard = this.standings.asReadonly();
  /** The champion of now, for all that this page shows: legend, card, tables and marks. */
  readonly champion: Signal<ModelDecision | null> = computed(
    () => this.models().find(({ alias }) => alias === 'champion') ?? null,
  );

  constructor() {
    // The others first: what has moved is to be heard by them.
    poll(() => this.api.leaderboard({ step: 1 }), merge(timer(0, EVERY), this.moved)).subscribe((answer) => {
      take(answer, this.standings, this.leaderboardLoad);
    });
    poll(() => this.api.promotions(), merge(timer(0, SELDOM), this.moved)).subscribe((answer) => {
      take(answer, this.moves, this.promotionsLoad);
    });
    poll(() => this.api.models(), merge(timer(0, EVERY), this.asked)).subscribe((answer) => {
      const moved = this.modelsLoad().status === 'ready' && 'items' in answer && this.hasMoved(answer.items);
      take(answer, this.decisions, this.modelsLoad);
      if (moved) this.moved.next();
    });
  }

  /** Ask now: something was heard that these answers do not know. */
  ask(): void {
    this.asked.next();
  }

  /** Live coverage of a version's intervals, one step ahead, once something was scored. */
  realised(version: string): Realised | null {
    const row = this.leaderboard().find((one) => one.version === version);
    if (row?.coverage_80 == null || row.coverage_95 == null) return null;
    return { coverage80: row.coverage_80, coverage95: row.coverage_95, n: row.n };
  }

  private hasMoved(models: readonly ModelDecision[]): boolean {
    return models.some(({ alias, version }) => this.models().find((held) => held.alias === alias)?.version !== version);
  }
}

type Answer<T> = { readonly items: readonly T[] } | { readonly problem: Problem };

/** Ask whenever told to, while the page is looked at and no answer is under way. */
function poll<T>(ask: () => Observable<{ readonly items: readonly T[] }>, when: Observable<unknown>): Observable<Answer<T>> {
  return when.pipe(
    filter(() => document.visibilityState === 'visible'),
    exhaustMap(() => ask().pipe(catchError((error: unknown) => of({ problem: problemOf(error) })))),
    takeUntilDestroyed(),
  );
}

/** What was read before stays on the screen; the first failure must say why there is nothing. */
function take<T>(answer: Answer<T>, into: WritableSignal<readonly T[]>, load: WritableSignal<LoadState>): void {
  if ('items' in answer) {
    into.set(answer.items);
    load.set(answer.items.length > 0 ? READY : EMPTY_LOAD);
  } else if (load().status !== 'ready') {
    load.set(failed(answer.problem));
  }
}
