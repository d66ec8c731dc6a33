import { computed, inject, Injectable, signal } from '@angular/core';

import { STORAGE } from './theme';

export const STYLES = ['candles', 'line'] as const;
export const SCALES = ['linear', 'log', 'percent'] as const;
export type PriceStyle = (typeof STYLES)[number];
export type PriceScale = (typeof SCALES)[number];

const KEY = 'foretick.chart';

/** How the chart draws prices; remembered, but for the comparison. */
@Injectable({ providedIn: 'root' })
export class ChartSettings {
  private readonly storage = inject(STORAGE);
  private readonly chosenStyle = signal<PriceStyle>('candles');
  private readonly chosenScale = signal<PriceScale>('linear');
  private readonly asTraded = signal(false);
  private readonly compared = signal<string | null>(null);

  readonly style = this.chosenStyle.asReadonly();
  /** Two symbols share no price: compared, both are drawn in percent. */
  readonly scale = computed<PriceScale>(() => (this.compared() === null ? this.chosenScale() : 'percent'));
  /** Prices as they were traded, not adjusted for splits. */
  readonly raw = this.asTraded.asReadonly();
  readonly comparison = this.compared.asReadonly();

  constructor() {
    const [style, scale, raw] = (this.storage?.getItem(KEY) ?? '').split(' ');
    this.chosenStyle.set(STYLES.find((known) => known === style) ?? 'candles');
    this.chosenScale.set(SCALES.find((known) => known === scale) ?? 'linear');
    this.asTraded.set(raw === 'raw');
  }

  drawAs(style: PriceStyle): void {
    this.chosenStyle.set(style);
    this.remember();
  }

  scaleTo(scale: PriceScale): void {
    this.chosenScale.set(scale);
    if (scale !== 'percent') this.compared.set(null);
    this.remember();
  }

  showRaw(raw: boolean): void {
    this.asTraded.set(raw);
    this.remember();
  }

  compareWith(symbol: string | null): void {
    this.compared.set(symbol);
  }

  private remember(): void {
    this.storage?.setItem(KEY, `${this.chosenStyle()} ${this.chosenScale()} ${this.asTraded() ? 'raw' : 'adjusted'}`);
  }
}
