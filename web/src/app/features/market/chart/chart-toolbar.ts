import { Component, computed, inject, input, output } from '@angular/core';

import { BarFeed } from '../../../core/market/bar-feed';
import { ChartSettings, type PriceScale, type PriceStyle } from '../../../core/state/chart-settings';
import { type RangeName, RANGES } from '../../../ui/chart/ranges';

const STYLES: readonly { readonly name: PriceStyle; readonly label: string }[] = [
  { name: 'candles', label: 'Candles' },
  { name: 'line', label: 'Line' },
];
const SCALES: readonly { readonly name: PriceScale; readonly label: string; readonly hint: string }[] = [
  { name: 'linear', label: 'Lin', hint: 'Linear scale' },
  { name: 'log', label: 'Log', hint: 'Logarithmic scale: equal distances are equal ratios' },
  { name: 'percent', label: '%', hint: 'Percent since the first bar in view' },
];

/** How much of the past to show, and how. */
@Component({
  selector: 'ft-chart-toolbar',
  template: `
    <div class="tools">
      <div class="ranges" role="group" aria-label="Range">
        @for (name of ranges; track name) {
          <button
            type="button"
            class="ranges-button"
            [attr.data-testid]="'range-' + name"
            [attr.aria-pressed]="name === range()"
            (click)="choose.emit(name)"
          >
            {{ name }}
          </button>
        }
        <button type="button" class="ranges-button" data-testid="range-fit" title="Back to the newest bar" (click)="choose.emit(range())">
          Fit
        </button>
      </div>
      <div class="ranges" role="group" aria-label="Prices as">
        @for (style of styles; track style.name) {
          <button type="button" class="ranges-button" [attr.data-testid]="'style-' + style.name" [attr.aria-pressed]="style.name === settings.style()" (click)="settings.drawAs(style.name)">
            {{ style.label }}
          </button>
        }
      </div>
      <div class="ranges" role="group" aria-label="Scale">
        @for (scale of scales; track scale.name) {
          <button type="button" class="ranges-button" [attr.data-testid]="'scale-' + scale.name" [attr.aria-pressed]="scale.name === settings.scale()" [title]="scale.hint" (click)="settings.scaleTo(scale.name)">
            {{ scale.label }}
          </button>
        }
      </div>
      <div class="ranges">
        <button
          type="button"
          class="ranges-button"
          data-testid="adjusted"
          [attr.aria-pressed]="!settings.raw()"
          title="Adjusted for splits: prices in the newest bar's share terms; off: as they were traded"
          (click)="settings.showRaw(!settings.raw())"
        >
          Adjusted
        </button>
      </div>
      <label class="tools-compare">
        Compare
        <select class="select" data-testid="compare" (change)="compare($event)">
          <option value="" [selected]="settings.comparison() === null">none</option>
          @for (other of others(); track other) {
            <option [value]="other" [selected]="other === settings.comparison()">{{ other }}</option>
          }
        </select>
      </label>
    </div>
  `,
})
export class ChartToolbar {
  protected readonly settings = inject(ChartSettings);
  private readonly feed = inject(BarFeed);

  readonly symbol = input.required<string>();
  readonly range = input.required<RangeName>();
  readonly choose = output<RangeName>();

  protected readonly ranges = RANGES;
  protected readonly styles = STYLES;
  protected readonly scales = SCALES;
  protected readonly others = computed(() =>
    this.feed
      .symbols()
      .map(({ symbol }) => symbol)
      .filter((symbol) => symbol !== this.symbol()),
  );

  protected compare(event: Event): void {
    if (event.target instanceof HTMLSelectElement) this.settings.compareWith(event.target.value || null);
  }
}
