import { computed, inject, Injectable, type Signal, signal, type WritableSignal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { catchError, exhaustMap, filter, forkJoin, merge, type Observable, of, Subject, switchMap, timer } from 'rxjs';

import { Api } from './api';
import type { LeaderboardRow, ModelDecision, Promotion } from './api-types';
import { EMPTY_LOAD, failed, type Load, LOADING, READY } from './loads';
import { type Problem, problemOf } from './problems';

const EVERY = 5000;
/** Moves of aliases are asked for when an alias has moved, and else in every so many rounds. */
const SELDOM = 4;

/** How often closes lay inside a version's intervals, one session ahead. */
export interface Realised {
  readonly coverage80: number;
  readonly coverage95: number;
  readonly n: number;
}

type Answer<T> = { readonly items: readonly T[] } | { readonly problem: Problem };

/** Which models stand, and how they have done so far: asked for in rounds, so that a promotion shows everywhere at once. */
@Injectable({ providedIn: 'root' })
export class ModelBoard {
  private readonly api = inject(Api);
  private readonly decisions = signal<readonly ModelDecision[]>([]);
  private readonly standings = signal<readonly LeaderboardRow[]>([]);
  private readonly moves = signal<readonly Promotion[]>([]);
  private readonly asked = new Subject<void>();

  readonly promotionsLoad = signal<Load>(LOADING);
  readonly promotions = this.moves.asReadonly();
  readonly modelsLoad = signal<Load>(LOADING);
  readonly leaderboardLoad = signal<Load>(LOADING);
  readonly models = this.decisions.asReadonly();
  readonly leaderboard = this.standings.asReadonly();
  /** The champion of now, for all that this page shows: legend, card, tables and marks. */
  readonly champion: Signal<ModelDecision | null> = computed(
    () => this.models().find(({ alias }) => alias === 'champion') ?? null,
  );

  constructor() {
    merge(timer(0, EVERY), this.asked)
      .pipe(
        filter(() => document.visibilityState === 'visible'),
        exhaustMap((_, round) => this.round(round % SELDOM === 0)),
        takeUntilDestroyed(),
      )
      .subscribe(([models, standings, moves]) => {
        take(models, this.decisions, this.modelsLoad);
        take(standings, this.standings, this.leaderboardLoad);
        if (moves !== null) take(moves, this.moves, this.promotionsLoad);
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

  private round(withMoves: boolean): Observable<readonly [Answer<ModelDecision>, Answer<LeaderboardRow>, Answer<Promotion> | null]> {
    return settled(this.api.models()).pipe(
      switchMap((models) => {
        const asked = withMoves || this.promotionsLoad().status !== 'ready' || ('items' in models && this.hasMoved(models.items));
        return forkJoin([of(models), settled(this.api.leaderboard({ step: 1 })), asked ? settled(this.api.promotions()) : of(null)]);
      }),
    );
  }

  private hasMoved(models: readonly ModelDecision[]): boolean {
    return models.some(({ alias, version }) => this.models().find((held) => held.alias === alias)?.version !== version);
  }
}

function settled<T>(asked: Observable<{ readonly items: readonly T[] }>): Observable<Answer<T>> {
  return asked.pipe(catchError((error: unknown) => of({ problem: problemOf(error) })));
}

/** What was read before stays on the screen; the first failure must say why there is nothing. */
function take<T>(answer: Answer<T>, into: WritableSignal<readonly T[]>, load: WritableSignal<Load>): void {
  if ('items' in answer) {
    into.set(answer.items);
    load.set(answer.items.length > 0 ? READY : EMPTY_LOAD);
  } else if (load().status !== 'ready') {
    load.set(failed(answer.problem));
  }
}
