import { Component, computed, inject, input, output } from '@angular/core';

import { ageSaid, isStale } from '../../core/ages';
import type { Prediction } from '../../core/api-types';
import { secondsOf } from '../../core/bars';
import { familyName } from '../../core/families';
import { fanOfPrediction } from '../../core/forecasts';
import { price } from '../../common/numbers';
import { MarketTime } from '../status/market-time';

/** The answer to a request: each session's median and 95 % interval, and which model gave it from what, and what it warns of. */
@Component({
  selector: 'ft-prediction-table',
  template: `
    <p class="prediction-by">
      <span>{{ model() }} from the close of {{ origin() }}@if (aged(); as aged) {<span class="aged" data-testid="prediction-aged">, {{ aged }}</span>}</span>
      <button type="button" class="link-button" (click)="cleared.emit()">Clear</button>
    </p>
    @for (warning of prediction().warnings; track warning) {
      <p class="note note-waiting" data-testid="prediction-warning">{{ warning }}</p>
    }
    <div class="prediction-scroll" tabindex="0" role="region" aria-label="Prediction">
      <table class="table num" data-testid="prediction-table">
        <thead>
          <tr>
            <th scope="col">Session</th>
            <th scope="col">Median</th>
            <th scope="col">80 % interval</th>
            <th scope="col">95 % interval</th>
          </tr>
        </thead>
        <tbody>
          @for (step of steps(); track step.step) {
            <tr>
              <th scope="row">{{ step.day }}</th>
              <td>{{ price(step.median) }}</td>
              <td class="interval">{{ price(step.low80) }}<span class="to">–</span>{{ price(step.high80) }}</td>
              <td class="interval">{{ price(step.low95) }}<span class="to">–</span>{{ price(step.high95) }}</td>
            </tr>
          }
        </tbody>
      </table>
    </div>
    <p class="card-foot">
      Input <code [title]="prediction().input_sha256">{{ prediction().input_sha256.slice(0, 12) }}</code>
    </p>
  `,
})
export class PredictionTable {
  private readonly market = inject(MarketTime);

  readonly prediction = input.required<Prediction>();
  /** Sessions that have closed since its origin. */
  readonly age = input(0);
  readonly cleared = output();

  protected readonly model = computed(() => {
    const { family, version } = this.prediction().model;
    return `${familyName(family)} v${version}`;
  });
  protected readonly aged = computed(() => (isStale(this.age()) ? ageSaid(this.age()) : null));
  protected readonly origin = computed(() => this.market.times().day(secondsOf(this.prediction().origin)));
  protected readonly steps = computed(() =>
    fanOfPrediction(this.prediction()).steps.map((step) => ({ ...step, day: this.market.times().shortDay(step.time) })),
  );
  protected readonly price = price;
}
