import { Component, computed, inject, signal } from '@angular/core';
import { takeUntilDestroyed, toObservable } from '@angular/core/rxjs-interop';
import { type Observable, catchError, debounceTime, firstValueFrom, map, of, switchMap, tap } from 'rxjs';

import { Api, PATHS } from '../../core/api/api';
import type { Prediction } from '../../core/api/api-types';
import { barOf } from '../../core/market/bars';
import { familyName } from '../../core/models/families';
import { ExchangeTimes } from '../../core/market/exchange-times';
import { type Fan, fanOfPrediction } from '../../core/forecasts/forecasts';
import { ModelBoard } from '../../core/models/model-board';
import { type Problem, problemOf } from '../../core/api/problems';
import { LoadNote } from '../../ui/load-note';
import { ProblemNote } from '../../ui/problem-note';
import { drawnFan } from '../../ui/chart/fan-points';
import { PriceChart, type RangeWish } from '../../ui/chart/price-chart';
import { Selection } from '../../core/state/selection';
import { PredictionTable } from '../../ui/prediction-table';
import { csvOf, type CsvHistory, historyOf, textOf } from './csv-histories';

/** As far ahead as the gateway lets anyone ask. */
const MOST = 20;
const SAMPLE = 250;
/** Milliseconds without a key, after which a text is read. */
const PAUSE = 250;
const CHAMPION = 'champion';

/** A forecast of the visitor's own bars, by the champion or another model at work. */
@Component({
  selector: 'ft-try-page',
  imports: [LoadNote, PredictionTable, PriceChart, ProblemNote],
  templateUrl: './try-page.html',
})
export class TryPage {
  private readonly api = inject(Api);
  private readonly board = inject(ModelBoard);
  private readonly selection = inject(Selection);

  protected readonly model = signal(CHAMPION);
  protected readonly models = computed(() => [
    { alias: CHAMPION, name: 'Champion' },
    ...this.board
      .models()
      .filter(({ alias }) => alias !== CHAMPION)
      .map(({ alias, version }) => ({ alias, name: `${familyName(alias)} v${version}` })),
  ]);
  protected readonly text = signal('');
  protected readonly horizon = signal(5);
  protected readonly busy = signal(false);
  protected readonly filling = signal(false);
  protected readonly modelsLoad = this.board.modelsLoad;
  protected readonly path = PATHS.models;
  protected readonly prediction = signal<Prediction | null>(null);
  protected readonly problem = signal<Problem | null>(null);
  protected readonly wish = signal<RangeWish>({ range: '3M' });
  protected readonly most = MOST;
  protected readonly times = new ExchangeTimes('UTC');

  protected readonly sample = computed(() => this.selection.symbol());
  /** What the text says; null while there is none or it is being read. */
  protected readonly history = signal<CsvHistory | null>(null);
  protected readonly reading = signal(false);
  protected readonly bars = computed(() => this.history()?.bars ?? []);
  protected readonly fans = computed(() => {
    const [prediction, last] = [this.prediction(), this.bars().at(-1)];
    if (prediction === null || last === undefined) return [];
    const fan: Fan = { ...fanOfPrediction(prediction), origin: last.time };
    return [{ ...drawnFan(fan, this.bars()), kind: 'champion' as const }];
  });

  constructor() {
    toObservable(this.text)
      .pipe(
        tap((text) => {
          this.history.set(null);
          this.reading.set(text.trim() !== '');
        }),
        debounceTime(PAUSE),
        switchMap((text) => (text.trim() === '' ? of(null) : this.api.csv(text).pipe(map(historyOf), catchError((error: unknown) => this.unread(error))))),
        takeUntilDestroyed(),
      )
      .subscribe((history) => {
        this.history.set(history);
        this.reading.set(false);
      });
  }

  protected take(event: Event): void {
    if (event.target instanceof HTMLTextAreaElement) this.write(event.target.value);
  }

  protected note(event: Event): void {
    if (event.target instanceof HTMLInputElement) this.horizon.set(event.target.valueAsNumber);
  }

  protected choose(event: Event): void {
    if (event.target instanceof HTMLSelectElement) this.model.set(event.target.value);
  }

  protected async upload(event: Event): Promise<void> {
    const file = event.target instanceof HTMLInputElement ? event.target.files?.[0] : undefined;
    if (file !== undefined) this.write(textOf(await file.arrayBuffer()));
  }

  /** Take bars that Foretick itself holds, as a history to play with. */
  protected async fill(): Promise<void> {
    const symbol = this.sample();
    if (symbol === null) return;
    this.filling.set(true);
    try {
      const { items } = await firstValueFrom(this.api.bars(symbol, { limit: SAMPLE, adjust: 'splits' }));
      this.write(csvOf(items.map(barOf)));
    } catch (error) {
      this.problem.set(problemOf(error));
    } finally {
      this.filling.set(false);
    }
  }

  protected async ask(event: Event): Promise<void> {
    event.preventDefault();
    const history = this.history();
    if (history === null || history.faults.length > 0) return;
    this.busy.set(true);
    this.problem.set(null);
    try {
      const observations = history.bars.map(({ close }, at) => ({ ds: history.stamps[at] ?? '', y: close }));
      this.prediction.set(await firstValueFrom(this.api.predictHistory(observations, this.horizon(), this.model())));
      this.wish.set({ range: '3M' });
    } catch (error) {
      this.prediction.set(null);
      this.problem.set(problemOf(error));
    } finally {
      this.busy.set(false);
    }
  }

  protected clear(): void {
    this.prediction.set(null);
  }

  private unread(error: unknown): Observable<null> {
    this.problem.set(problemOf(error));
    return of(null);
  }

  private write(text: string): void {
    this.text.set(text);
    this.prediction.set(null);
    this.problem.set(null);
  }
}
