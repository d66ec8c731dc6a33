import { Component, computed, inject, signal } from '@angular/core';

import { ageOf } from '../../core/ages';
import { BarFeed } from '../../core/bar-feed';
import { ProblemNote } from '../../common/problem-note';
import { Desk } from '../market/desk';
import { Selection } from '../market/selection';
import { PredictionTable } from './prediction-table';

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
        <button class="button button-main" type="submit" data-testid="predict-button" [disabled]="desk.busy() || selection.symbol() === null">
          {{ desk.busy() ? 'Asking …' : 'Predict ' + (selection.symbol() ?? '') }}
        </button>
      </form>
      <div aria-live="polite">
        @if (desk.problem(); as problem) {
          <ft-problem-note [problem]="problem" />
        } @else if (desk.prediction(); as prediction) {
          <ft-prediction-table [prediction]="prediction" [age]="age()" (cleared)="desk.clear()" />
        }
      </div>
    </section>
  `,
})
export class PredictForm {
  protected readonly desk = inject(Desk);
  protected readonly selection = inject(Selection);
  private readonly feed = inject(BarFeed);
  protected readonly horizon = signal(5);
  protected readonly most = MOST;
  protected readonly age = computed(() => {
    const fan = this.desk.fan();
    return fan === null ? 0 : ageOf(fan, this.feed.bars(this.selection.symbol() ?? '')());
  });

  protected note(event: Event): void {
    if (event.target instanceof HTMLInputElement) this.horizon.set(event.target.valueAsNumber);
  }

  protected ask(event: Event): void {
    event.preventDefault();
    const symbol = this.selection.symbol();
    if (symbol !== null) void this.desk.ask(symbol, this.horizon());
  }
}
