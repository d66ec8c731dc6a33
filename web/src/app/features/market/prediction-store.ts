import { computed, inject, Injectable, signal } from '@angular/core';
import { firstValueFrom } from 'rxjs';

import { Api } from '../../core/api/api';
import type { Prediction } from '../../core/api/api-types';
import { type Fan, fanOfPrediction } from '../../core/forecasts/forecasts';
import { type Problem, problemOf } from '../../core/api/problems';
import { Selection } from '../../core/state/selection';

interface Answer {
  readonly symbol: string;
  readonly prediction: Prediction | null;
  readonly problem: Problem | null;
}

/** Asks the champion for a forecast and keeps its answer while the symbol is looked at. */
@Injectable({ providedIn: 'root' })
export class PredictionStore {
  private readonly api = inject(Api);
  private readonly selection = inject(Selection);
  private readonly answer = signal<Answer | null>(null);
  private readonly asking = signal(false);

  readonly busy = this.asking.asReadonly();
  readonly prediction = computed(() => this.current()?.prediction ?? null);
  readonly problem = computed(() => this.current()?.problem ?? null);
  readonly fan = computed<Fan | null>(() => {
    const prediction = this.prediction();
    return prediction === null ? null : fanOfPrediction(prediction);
  });

  private readonly current = computed(() => {
    const answer = this.answer();
    return answer?.symbol === this.selection.symbol() ? answer : null;
  });

  async ask(symbol: string, horizon: number): Promise<void> {
    this.asking.set(true);
    try {
      const prediction = await firstValueFrom(this.api.predict(symbol, horizon));
      this.answer.set({ symbol, prediction, problem: null });
    } catch (error) {
      this.answer.set({ symbol, prediction: null, problem: problemOf(error) });
    } finally {
      this.asking.set(false);
    }
  }

  clear(): void {
    this.answer.set(null);
  }
}
