import { Component, computed, inject, signal } from '@angular/core';
import { takeUntilDestroyed, toObservable } from '@angular/core/rxjs-interop';
import { catchError, EMPTY, exhaustMap, filter, type Observable, switchMap, tap, timer } from 'rxjs';

import { Api, type LeaderboardQuery, PATHS } from '../../core/api/api';
import type { Items, LeaderboardRow } from '../../core/api/api-types';
import { BarFeed } from '../../core/market/bar-feed';
import { familyName } from '../../core/models/families';
import { EMPTY_LOAD, failed, type LoadState, LOADING, READY } from '../../core/api/load-state';
import { ModelBoard } from '../../core/models/model-board';
import { problemOf } from '../../core/api/problems';
import { centreOf, skillOf, toneOf } from '../../core/models/skills';
import { change, count, decimal } from '../../ui/numbers';
import { LoadNote } from '../../ui/load-note';
import { CoverageGauge } from './coverage-gauge';
import { clicked, type Column, isShort, type Order, ordered } from './standings';

interface Heading {
  readonly column: Column;
  readonly label: string;
  readonly hint: string;
}

const HEADINGS: readonly Heading[] = [
  { column: 'family', label: 'Model', hint: 'Family and version' },
  { column: 'step', label: 'Ahead', hint: 'Sessions ahead' },
  { column: 'skill', label: 'Skill', hint: "1 minus the loss of the whole distribution over the random walk's, on the sessions that both have settled: above zero beats it; beside it, its 95 % confidence interval" },
  { column: 'centre', label: 'Of the centre', hint: "1 minus mean absolute error over the random walk's: what a point forecast gains" },
  { column: 'mase', label: 'MASE', hint: 'Mean absolute scaled error (Hyndman and Koehler 2006); lower is better' },
  { column: 'scrps', label: 'sCRPS', hint: 'Scaled continuous ranked probability score, of the whole distribution; lower is better' },
  { column: 'coverage_80', label: '80 % covers', hint: 'How often closes lay inside the 80 % interval' },
  { column: 'coverage_95', label: '95 % covers', hint: 'How often closes lay inside the 95 % interval' },
  { column: 'sessions', label: 'Sessions', hint: 'Sessions settled that its training did not see; below 30, noise cannot be told' },
];
const EVERY = 5000;
const STEPS = [1, 2, 3, 4, 5];
const WINDOWS = [60, 252, 504];

/** How every version does live, against the random walk. */
@Component({
  selector: 'ft-leaderboard-page',
  imports: [CoverageGauge, LoadNote],
  templateUrl: './leaderboard-page.html',
})
export class LeaderboardPage {
  private readonly api = inject(Api);
  private readonly board = inject(ModelBoard);
  protected readonly feed = inject(BarFeed);

  protected readonly symbol = signal('');
  protected readonly step = signal(1);
  protected readonly window = signal(252);
  protected readonly order = signal<Order>({ column: 'skill', descending: true });
  private readonly standings = signal<readonly LeaderboardRow[]>([]);
  private readonly progress = signal<LoadState>(LOADING);

  private readonly query = computed<LeaderboardQuery>(() => ({
    ...(this.symbol() ? { symbol: this.symbol() } : {}),
    ...(this.step() > 0 ? { step: this.step() } : {}),
    window: this.window(),
  }));

  protected readonly path = PATHS.leaderboard;
  protected readonly load = this.progress.asReadonly();
  protected readonly rows = computed(() => ordered(this.standings(), this.order()));
  protected readonly steps = computed(() => [...new Set([...STEPS, ...this.standings().map(({ step }) => step)])].sort((a, b) => a - b));
  protected readonly best = computed(() => this.standings().filter(({ verdict }) => verdict === 'better'));
  private readonly champion = computed(() => this.board.champion()?.version ?? null);

  protected readonly headings = HEADINGS;
  protected readonly windows = WINDOWS;
  protected readonly isShort = isShort;
  protected readonly skills = (row: LeaderboardRow) => [skillOf(row), centreOf(row)];
  protected readonly tone = toneOf;
  protected readonly name = familyName;
  protected readonly change = change;
  protected readonly decimal = decimal;
  protected readonly count = count;

  constructor() {
    toObservable(this.query)
      .pipe(
        tap(() => {
          // What other filters showed stays, greyed, until there is an answer; that they showed nothing says nothing.
          this.progress.set(LOADING);
        }),
        switchMap((query) =>
          timer(0, EVERY).pipe(
            filter(() => document.visibilityState === 'visible'),
            exhaustMap(() => this.ask(query)),
          ),
        ),
        takeUntilDestroyed(),
      )
      .subscribe(({ items }) => {
        this.standings.set(items);
        this.progress.set(items.length > 0 ? READY : EMPTY_LOAD);
      });
  }

  private ask(query: LeaderboardQuery): Observable<Items<LeaderboardRow>> {
    return this.api.leaderboard(query).pipe(
      catchError((error: unknown) => {
        this.progress.set(failed(problemOf(error)));
        return EMPTY;
      }),
    );
  }

  protected isChampion({ version }: LeaderboardRow): boolean {
    return version === this.champion();
  }

  protected sort(column: Column): void {
    this.order.update((before) => clicked(column, before));
  }

  protected sorted(column: Column): 'ascending' | 'descending' | 'none' {
    const { column: by, descending } = this.order();
    if (by !== column) return 'none';
    return descending ? 'descending' : 'ascending';
  }

  protected chooseSymbol(event: Event): void {
    if (event.target instanceof HTMLSelectElement) this.symbol.set(event.target.value);
  }

  protected chooseStep(event: Event): void {
    if (event.target instanceof HTMLSelectElement) this.step.set(Number(event.target.value));
  }

  protected chooseWindow(event: Event): void {
    if (event.target instanceof HTMLSelectElement) this.window.set(Number(event.target.value));
  }
}
