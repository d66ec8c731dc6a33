import { Component, computed, effect, inject, input, signal } from '@angular/core';
import { RouterLink } from '@angular/router';
import { type Observable, retry, throwError, timer } from 'rxjs';

import { Api, PATHS } from '../../core/api/api';
import type { LineageOf } from '../../core/api/api-types';
import { secondsOf } from '../../core/market/bars';
import { familyName } from '../../core/models/families';
import { LOADING } from '../../core/api/load-state';
import { PipelineFeed } from '../../core/pipeline/pipeline-feed';
import { type Problem, problemOf } from '../../core/api/problems';
import { decimal, percent, price } from '../../ui/numbers';
import { LoadNote } from '../../ui/load-note';
import { ProblemNote } from '../../ui/problem-note';
import { MarketTime } from '../../core/market/market-time';
import { DataFacts } from './data-facts';
import { outcomesOf } from './outcomes';

/** A forecast is on the screen a moment before MongoDB has it: how often to ask again, and after how many milliseconds. */
const NOT_YET = { times: 20, pause: 500 };

/** What one forecast was made from: events, model, training data, promotion; and what came of it. */
@Component({
  selector: 'ft-lineage-page',
  imports: [DataFacts, LoadNote, ProblemNote, RouterLink],
  templateUrl: './lineage-page.html',
})
export class LineagePage {
  private readonly api = inject(Api);
  private readonly pipeline = inject(PipelineFeed);
  protected readonly market = inject(MarketTime);

  /** The forecast's id, from the address. */
  readonly id = input.required<string>();

  protected readonly found = signal<LineageOf | null>(null);
  protected readonly problem = signal<Problem | null>(null);
  protected readonly again = signal(0);
  protected readonly reading = LOADING;
  protected readonly path = computed(() => PATHS.lineage(this.id()));

  protected readonly outcomes = computed(() => {
    const found = this.found();
    return found === null ? [] : outcomesOf(found);
  });
  /** The promotion to champion, else the newest move of any alias to this version. */
  protected readonly promotion = computed(() => {
    const moves = this.found()?.promotions ?? [];
    return moves.find(({ alias }) => alias === 'champion') ?? moves[0] ?? null;
  });
  /** The version beside the random walk; alone, if it is the random walk. */
  protected readonly compared = computed(() => {
    const evaluation = this.promotion()?.evaluation;
    if (evaluation === undefined) return [];
    const { candidate, naive } = evaluation;
    return candidate.family === naive.family ? [candidate] : [candidate, naive];
  });
  protected readonly run = computed(() => `${this.pipeline.state()?.links.mlflow ?? ''}/#/runs/${this.found()?.model.run_id ?? ''}`);
  protected readonly version = computed(() => {
    const { name = '', version = '' } = this.found()?.model ?? {};
    return `${this.pipeline.state()?.links.mlflow ?? ''}/#/models/${name}/versions/${version}`;
  });

  protected readonly family = familyName;
  protected readonly price = price;
  protected readonly percent = percent;
  protected readonly decimal = decimal;

  constructor() {
    effect((onCleanup) => {
      const id = this.id();
      this.again();
      this.found.set(null);
      this.problem.set(null);
      const asked = this.api
        .lineage(id)
        .pipe(retry({ count: NOT_YET.times, delay: (error) => this.pause(error) }))
        .subscribe({
          next: (found) => {
            this.found.set(found);
          },
          error: (error: unknown) => {
            this.problem.set(problemOf(error));
          },
        });
      onCleanup(() => {
        asked.unsubscribe();
      });
    });
  }

  protected day(instant: string): string {
    return this.market.times().day(secondsOf(instant));
  }

  /** Wait before asking again for what may still come; whatever else went wrong is told at once. */
  private pause(error: unknown): Observable<0> {
    return problemOf(error).kind === 'missing' ? timer(NOT_YET.pause) : throwError(() => error);
  }
}
