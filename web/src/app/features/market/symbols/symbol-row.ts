import { Component, computed, inject, input } from '@angular/core';

import type { SymbolSummary } from '../../../core/api/api-types';
import { BarFeed } from '../../../core/market/bar-feed';
import { lastChange } from '../../../core/market/bars';
import { change, count, price } from '../../../ui/numbers';
import { sparkline } from '../../../ui/sparklines';

/** Closes in the small picture. */
const POINTS = 48;
/** A year of sessions: with fewer, models see little of a symbol. */
const SHORT = 252;

/** One symbol: last close, change since the bar before, a small picture. */
@Component({
  selector: 'ft-symbol-row',
  template: `
    <span class="row-name">{{ summary().symbol }}</span>
    <svg class="row-spark" viewBox="-1 -1 66 22" aria-hidden="true" preserveAspectRatio="none">
      <path [attr.d]="path()" fill="none" stroke="currentColor" stroke-width="1.2" vector-effect="non-scaling-stroke" />
    </svg>
    <span class="row-close num">{{ close() }}</span>
    <span class="row-hint">
      @if (short()) {
        <span title="Fewer than 252 sessions: models see little of this symbol">short history · {{ bars() }}</span>
      } @else {
        {{ bars() }} bars
      }
    </span>
    <span class="row-change num" [class.up]="direction() > 0" [class.down]="direction() < 0">
      <span aria-hidden="true">{{ direction() > 0 ? '▲' : direction() < 0 ? '▼' : '' }}</span>
      {{ move() }}
    </span>
  `,
  host: { class: 'row-grid' },
})
export class SymbolRow {
  private readonly feed = inject(BarFeed);

  readonly summary = input.required<SymbolSummary>();

  private readonly held = computed(() => this.feed.bars(this.summary().symbol)());
  private readonly fraction = computed(() => lastChange(this.held()));
  private readonly size = computed(() => Math.max(this.summary().bars ?? 0, this.held().length));

  protected readonly close = computed(() => price(this.held().at(-1)?.close ?? this.summary().last_close));
  protected readonly move = computed(() => change(this.fraction()));
  protected readonly direction = computed(() => Math.sign(this.fraction() ?? 0));
  protected readonly bars = computed(() => count(this.size()));
  protected readonly short = computed(() => this.size() < SHORT);
  protected readonly path = computed(() =>
    sparkline(
      this.held()
        .slice(-POINTS)
        .map((bar) => bar.close),
      64,
      20,
    ),
  );
}
