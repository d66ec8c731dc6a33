import { Component, computed, input } from '@angular/core';

import type { Bar } from '../../../core/market/bars';
import type { ExchangeTimes } from '../../../core/market/exchange-times';
import type { FanStep } from '../../../core/forecasts/forecasts';
import { change, price, volume } from '../../../ui/numbers';

/** The bar under the crosshair (else the last one) in figures; over a future session, what is forecast for it. */
@Component({
  selector: 'ft-ohlcv-legend',
  template: `
    @if (step(); as step) {
      <dl class="ohlcv num" data-testid="ohlcv">
        <div>
          <dt class="sr-only">Session</dt>
          <dd class="ohlcv-day">{{ times().day(step.time) }}</dd>
        </div>
        <div>
          <dt>Median</dt>
          <dd>{{ price(step.median) }}</dd>
        </div>
        <div>
          <dt>80 %</dt>
          <dd>{{ price(step.low80) }} to {{ price(step.high80) }}</dd>
        </div>
        <div>
          <dt>95 %</dt>
          <dd>{{ price(step.low95) }} to {{ price(step.high95) }}</dd>
        </div>
      </dl>
    } @else if (bar(); as bar) {
      <dl class="ohlcv num" data-testid="ohlcv">
        <div>
          <dt class="sr-only">Session</dt>
          <dd class="ohlcv-day">{{ times().day(bar.time) }}</dd>
        </div>
        <div>
          <dt><abbr title="Open">O</abbr></dt>
          <dd>{{ price(bar.open) }}</dd>
        </div>
        <div>
          <dt><abbr title="High">H</abbr></dt>
          <dd>{{ price(bar.high) }}</dd>
        </div>
        <div>
          <dt><abbr title="Low">L</abbr></dt>
          <dd>{{ price(bar.low) }}</dd>
        </div>
        <div>
          <dt><abbr title="Close">C</abbr></dt>
          <dd>{{ price(bar.close) }}</dd>
        </div>
        <div>
          <dt><abbr title="Volume">V</abbr></dt>
          <dd>{{ volume(bar.volume) }}</dd>
        </div>
        <div>
          <dt class="sr-only">Change since the bar before</dt>
          <dd [class.up]="direction() > 0" [class.down]="direction() < 0">{{ move() }}</dd>
        </div>
      </dl>
    }
  `,
})
export class OhlcvLegend {
  readonly bar = input<Bar>();
  readonly previous = input<Bar>();
  readonly step = input<FanStep>();
  readonly times = input.required<ExchangeTimes>();

  private readonly fraction = computed(() => {
    const [bar, previous] = [this.bar(), this.previous()];
    return bar && previous ? bar.close / previous.close - 1 : null;
  });

  protected readonly direction = computed(() => Math.sign(this.fraction() ?? 0));
  protected readonly move = computed(() => change(this.fraction()));
  protected readonly price = price;
  protected readonly volume = volume;
}
