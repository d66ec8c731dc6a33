import type { IChartApi, ISeriesApi, UTCTimestamp } from 'lightweight-charts';

import type { Bar } from '../../core/market/bars';
import { fanStyle } from './chart-options';
import { type DrawnFan, fanAt, pointAt } from './fan-points';
import { FanSeries } from './fan-series';
import type { ChartPalette } from './palettes';

type FanSlot = ISeriesApi<'Custom'>;

/** The forecasts on a chart, each a series of its own. */
export class FanLayer {
  private readonly slots = new Map<string, FanSlot>();
  private held: readonly DrawnFan[] = [];

  constructor(
    private readonly chart: IChartApi,
    private palette: ChartPalette,
  ) {}

  get fans(): readonly DrawnFan[] {
    return this.held;
  }

  get size(): number {
    return this.slots.size;
  }

  /**
   * Draw these fans and no others. `before`: bars that stand in, unseen, ahead of each fan; a relative scale counts from
   * a series' first value in view, which must be that of the prices.
   */
  draw(fans: readonly DrawnFan[], before: readonly Bar[]): void {
    const drawn = new Map(this.held.map((fan) => [fan.key, fan]));
    this.held = fans;
    const keys = new Set(fans.map(({ key }) => key));
    for (const [key, slot] of this.slots) {
      if (keys.has(key)) continue;
      this.chart.removeSeries(slot);
      this.slots.delete(key);
    }
    for (const fan of fans) {
      const slot = this.slots.get(fan.key) ?? this.add(fan);
      if (drawn.get(fan.key)?.stale !== fan.stale) slot.applyOptions(fanStyle(fan, this.palette));
      const opens = fan.points[0]?.time ?? 0;
      const ahead = before.filter(({ time }) => time < opens).map(({ time, close }) => ({ ...pointAt(time, close), hidden: true }));
      slot.setData([...ahead, ...fan.points].map(({ time, ...point }) => ({ time: time as UTCTimestamp, ...point })));
    }
  }

  /** The issued forecast whose band is at a place of the chart. */
  at(time: number, y: number): DrawnFan | undefined {
    for (const fan of this.held) {
      const price = this.slots.get(fan.key)?.coordinateToPrice(y);
      if (price != null && fanAt([fan], time, price) !== undefined) return fan;
    }
    return undefined;
  }

  dress(palette: ChartPalette): void {
    this.palette = palette;
    for (const fan of this.held) this.slots.get(fan.key)?.applyOptions(fanStyle(fan, palette));
  }

  private add(fan: DrawnFan): FanSlot {
    const slot = this.chart.addCustomSeries(new FanSeries(), fanStyle(fan, this.palette));
    this.slots.set(fan.key, slot);
    return slot;
  }
}
