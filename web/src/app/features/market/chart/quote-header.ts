import { Component, computed, input } from '@angular/core';

import type { SymbolSummary } from '../../../core/api/api-types';
import { type Bar, lastChange } from '../../../core/market/bars';
import type { ExchangeTimes } from '../../../core/market/exchange-times';
import { change, count, price } from '../../../ui/numbers';

/** The chosen symbol's last close, large, and what the page holds of it. */
@Component({
  selector: 'ft-quote-header',
  template: `
    <div class="quote">
      <h1 class="quote-symbol">{{ symbol() }}</h1>
      <span class="quote-close num" data-testid="last-close" [attr.data-close]="last()?.close">{{ price(last()?.close) }}</span>
      <span class="quote-change num" [class.up]="direction() > 0" [class.down]="direction() < 0">
        <span aria-hidden="true">{{ direction() > 0 ? '▲' : direction() < 0 ? '▼' : '' }}</span>
        {{ move() }}
      </span>
      <span class="quote-facts">
        @if (summary(); as summary) {
          <span>{{ summary.currency }}{{ summary.exchange ? ' · ' + summary.exchange : '' }}</span>
        }
        @if (last(); as last) {
          <span>
            close of
            <span data-testid="last-bar-date" [attr.data-closed-at]="last.closedAt">{{ times().day(last.time) }}</span>
          </span>
        }
        <span title="Bars of this symbol held by this page; older ones are read as you scroll">
          <span
            data-testid="bars-count"
            class="num"
            [attr.data-count]="bars().length"
            [attr.data-first-closed-at]="bars()[0]?.closedAt"
            [attr.data-last-closed-at]="last()?.closedAt"
            >{{ count(bars().length) }}</span
          >
          bars held
        </span>
      </span>
    </div>
  `,
})
export class QuoteHeader {
  readonly symbol = input.required<string>();
  readonly summary = input.required<SymbolSummary | null>();
  readonly bars = input.required<readonly Bar[]>();
  readonly times = input.required<ExchangeTimes>();

  private readonly fraction = computed(() => lastChange(this.bars()));

  protected readonly last = computed(() => this.bars().at(-1));
  protected readonly direction = computed(() => Math.sign(this.fraction() ?? 0));
  protected readonly move = computed(() => change(this.fraction()));
  protected readonly price = price;
  protected readonly count = count;
}
