import { Component, computed, inject, input, output } from '@angular/core';

import { ageSaid, isStale } from '../core/market/ages';
import type { Prediction } from '../core/api/api-types';
import { secondsOf } from '../core/market/bars';
import { familyName } from '../core/models/families';
import { fanOfPrediction } from '../core/forecasts/forecasts';
import { type QuantileRow, QuantileTable } from './quantile-table';
import { MarketTime } from '../core/market/market-time';

/** The answer to a request: each session's median and 95 % interval, and which model gave it from what, and what it warns of. */
@Component({
  selector: 'ft-prediction-table',
  imports: [QuantileTable],
  template: `
    <p class="prediction-by">
      <span>{{ model() }} from the close of {{ origin() }}@if (aged(); as aged) {<span class="aged" data-testid="prediction-aged">, {{ aged }}</span>}</span>
      <button type="button" class="link-button" (click)="cleared.emit()">Clear</button>
    </p>
    @for (warning of prediction().warnings; track warning) {
      <p class="note note-waiting" data-testid="prediction-warning">{{ warning }}</p>
    }
    <ft-quantile-table about="Prediction" testid="prediction-table" first="Session" [eighty]="true" [rows]="rows()" />
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
  protected readonly rows = computed<readonly QuantileRow[]>(() =>
    fanOfPrediction(this.prediction()).steps.map((step) => ({
      ...step,
      key: step.step,
      fan: null,
      label: this.market.times().shortDay(step.time),
      note: null,
      more: [],
    })),
  );
}
