import { createChart, type IChartApi, PriceScaleMode, type UTCTimestamp } from 'lightweight-charts';

import type { Bar } from '../../core/market/bars';
import type { ExchangeTimes } from '../../core/market/exchange-times';
import { chartOptions } from './chart-options';
import type { PriceScale, PriceStyle } from '../../core/state/chart-settings';
import { EdgeMask } from './edge-mask';
import { FanLayer } from './fan-layer';
import { type DrawnFan, futureSlots } from './fan-points';
import type { Mark } from './marks';
import type { ChartPalette } from './palettes';
import { PriceLayer } from './price-layer';
import { changeOf, type LogicalWindow, MARGIN, type RangeName, windowOf } from './ranges';

/** What the chart tells its component. */
export interface ChartEvents {
  /** Time of the slot under the crosshair, seconds since the epoch; null when it leaves. */
  readonly hovered: (time: number | null) => void;
  /** The bars in view, as indices into those given; may reach beyond both ends. */
  readonly viewed: (view: LogicalWindow) => void;
  /** A fan was clicked. */
  readonly picked: (fan: DrawnFan) => void;
}

const MODES: Readonly<Record<PriceScale, PriceScaleMode>> = {
  linear: PriceScaleMode.Normal,
  log: PriceScaleMode.Logarithmic,
  percent: PriceScaleMode.Percentage,
};

/** The drawing itself: prices, volume, fans and marks, kept in view as they change. */
export class ChartView {
  private readonly chart: IChartApi;
  private readonly prices: PriceLayer;
  private readonly layer: FanLayer;
  private readonly edge: EdgeMask;
  private readonly labelled = (time: number): void => {
    this.edge.note(time);
  };
  private readonly observer: ResizeObserver;
  private bars: readonly Bar[] = [];
  private scale: PriceScale = 'linear';
  private crosshair: number | null = null;
  private drawing = false;

  constructor(
    host: HTMLElement,
    palette: ChartPalette,
    times: ExchangeTimes,
    private readonly events: ChartEvents,
  ) {
    this.chart = createChart(host, chartOptions(palette, times, this.labelled));
    this.edge = new EdgeMask(host, this.chart);
    this.prices = new PriceLayer(this.chart, palette);
    this.layer = new FanLayer(this.chart, palette);
    this.chart.panes()[0]?.setStretchFactor(5);
    this.chart.panes()[1]?.setStretchFactor(1);
    // Sized in the next frame: the chart's own way resizes within the observer's turn, which browsers report as an error.
    this.observer = new ResizeObserver(() => {
      requestAnimationFrame(() => {
        if (host.isConnected) this.chart.resize(host.clientWidth, host.clientHeight);
      });
    });
    this.observer.observe(host);
    this.chart.subscribeCrosshairMove(({ time, point }) => {
      this.events.hovered(typeof time === 'number' ? time : null);
      const over = typeof time === 'number' && point !== undefined && this.layer.at(time, point.y) !== undefined;
      host.classList.toggle('chart-canvas-pick', over);
    });
    this.chart.subscribeClick(({ time, point }) => {
      const fan = typeof time === 'number' && point !== undefined ? this.layer.at(time, point.y) : undefined;
      if (fan !== undefined) this.events.picked(fan);
    });
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      this.edge.move();
      // While data change, the library moves the view in steps that mean nothing.
      if (range !== null && !this.drawing) this.events.viewed({ from: range.from, to: range.to });
    });
  }

  /** Draw bars (by rising time) and fans; the part in view stays, or moves on with the newest bar if that is in view. */
  draw(bars: readonly Bar[], fans: readonly DrawnFan[]): void {
    const view = this.view();
    const following = view !== null && view.to >= this.bars.length - 1;
    const end = this.end();
    const change = changeOf(this.bars, bars);
    this.quietly(() => {
      this.prices.draw(bars, change);
      // Only what was drawn counts as held: what failed is drawn again with the next change.
      this.bars = bars;
      if (fans !== this.layer.fans) this.drawFans(fans);
    });
    if (view === null) return;
    const shift = following ? this.end() - end : change.prepended;
    this.setView({ from: view.from + shift, to: view.to + shift });
  }

  /** Choose candles or a line, and how prices are spaced. */
  drawAs(style: PriceStyle, scale: PriceScale): void {
    this.prices.drawAs(style);
    this.chart.priceScale('right').applyOptions({ mode: MODES[scale] });
    if (scale === this.scale) return;
    this.scale = scale;
    this.drawFans(this.layer.fans);
  }

  compare(bars: readonly Bar[], title: string): void {
    const view = this.view();
    this.quietly(() => {
      this.prices.compare(bars, title);
    });
    if (view !== null) this.setView(view);
  }

  mark(marks: readonly Mark[]): void {
    this.prices.mark(marks);
  }

  /** Take on another theme; `mark` is called again by whoever changes it. */
  dress(palette: ChartPalette, times: ExchangeTimes): void {
    this.chart.applyOptions(chartOptions(palette, times, this.labelled));
    this.prices.dress(palette, this.bars);
    this.layer.dress(palette);
  }

  show(range: RangeName): void {
    if (this.bars.length > 0) this.setView(windowOf(this.bars, range, futureSlots(this.layer.fans, this.lastTime())));
    this.chart.priceScale('right').applyOptions({ autoScale: true });
  }

  /** Bring a time into view, two thirds along, without changing how much is seen. */
  reveal(time: number): void {
    const view = this.view();
    const at = this.bars.findIndex((bar) => bar.time >= time);
    if (view === null || at < 0) return;
    const width = view.to - view.from;
    if (at < view.from + width * 0.1 || at > view.to - width * 0.1) {
      this.setView({ from: at - width * 0.66, to: at + width * 0.34 });
    }
  }

  /** Move the view by a share of its width; positive is towards the future. */
  pan(share: number): void {
    const view = this.view();
    if (view === null) return;
    const step = (view.to - view.from) * share;
    this.setView({ from: view.from + step, to: view.to + step });
  }

  /** Widen (factor > 1) or narrow the view around its right end. */
  zoom(factor: number): void {
    const view = this.view();
    if (view !== null) this.setView({ from: view.to - Math.max(5, (view.to - view.from) * factor), to: view.to });
  }

  /** Move the crosshair by bars, from the newest one if there is none; tells which bar it is at. */
  step(by: number): void {
    const held = this.crosshair === null ? this.bars.length : this.bars.findIndex(({ time }) => time === this.crosshair);
    const bar = this.bars[Math.max(0, Math.min(this.bars.length - 1, held + by))];
    if (bar === undefined) return;
    this.crosshair = bar.time;
    this.reveal(bar.time);
    this.chart.setCrosshairPosition(bar.close, bar.time as UTCTimestamp, this.prices.main);
    this.events.hovered(bar.time);
  }

  destroy(): void {
    this.observer.disconnect();
    this.edge.destroy();
    this.chart.remove();
  }

  /** Change data without telling of views that come and go meanwhile. */
  private quietly(change: () => void): void {
    this.drawing = true;
    try {
      change();
    } finally {
      this.drawing = false;
    }
  }

  private drawFans(fans: readonly DrawnFan[]): void {
    this.layer.draw(fans, this.scale === 'percent' ? this.bars : []);
    this.prices.raise(this.layer.size);
  }

  private lastTime(): number {
    return this.bars.at(-1)?.time ?? 0;
  }

  private end(): number {
    return this.bars.length - 1 + futureSlots(this.layer.fans, this.lastTime()) + MARGIN;
  }

  private view(): LogicalWindow | null {
    return this.chart.timeScale().getVisibleLogicalRange();
  }

  private setView(view: LogicalWindow): void {
    this.chart.timeScale().setVisibleLogicalRange(view);
  }
}
