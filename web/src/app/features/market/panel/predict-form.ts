import { Component, computed, inject, signal } from '@angular/core';

import { ageOf } from '../../../core/market/ages';
import { BarFeed } from '../../../core/market/bar-feed';
import { ProblemNote } from '../../../ui/problem-note';
import { PredictionStore } from '../prediction-store';
import { Selection } from '../../../core/state/selection';
import { PredictionTable } from '../../../ui/prediction-table';

/** As far ahead as the gateway lets anyone ask. */
const MOST = 20;

/** Ask the champion for a forecast of the chosen symbol, as many sessions ahead as wanted. */
@Component({
  selector: 'ft-predict-form',
  imports: [PredictionTable, ProblemNote],
  template: `
    <section class="card" aria-labelledby="predict-heading">
      <h2 class="card-title" id="predict-heading">Predict <span class="card-note">on request</span></h2>
      <form class="predict" (submit)="ask($event)">
        <label for="horizon">Sessions ahead</label>
        <input id="horizon" class="input num" type="number" min="1" [max]="most" step="1" required [value]="horizon()" (input)="note($event)" data-testid="predict-horizon" />
        <button class="button button-main" type="submit" data-testid="predict-button" [disabled]="store.busy() || selection.symbol() === null">
          {{ store.busy() ? 'Asking …' : 'Predict ' + (selection.symbol() ?? '') }}
        </button>
      </form>
      <div aria-live="polite">
        @if (store.problem(); as problem) {
          <ft-problem-note [problem]="problem" />
        } @else if (store.prediction(); as prediction) {
          <ft-prediction-table [prediction]="prediction" [age]="age()" (cleared)="store.clear()" />
        }
      </div>
    </section>
  `,
})
export class PredictForm {
  protected readonly store = inject(PredictionStore);
  protected readonly selection = inject(Selection);
  private readonly feed = inject(BarFeed);
  protected readonly horizon = signal(5);
  protected readonly most = MOST;
  protected readonly age = computed(() => {
    const fan = this.store.fan();
    return fan === null ? 0 : ageOf(fan, this.feed.bars(this.selection.symbol() ?? '')());
  });

  protected note(event: Event): void {
    if (event.target instanceof HTMLInputElement) this.horizon.set(event.target.valueAsNumber);
  }

  protected ask(event: Event): void {
    event.preventDefault();
    const symbol = this.selection.symbol();
    if (symbol !== null) void this.store.ask(symbol, this.horizon());
  }
}
