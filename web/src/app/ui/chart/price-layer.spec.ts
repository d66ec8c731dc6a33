import type { IChartApi } from 'lightweight-charts';

import { bar, bars, timeOf } from '../../../testing/samples';
import { PALETTES } from './palettes';
import { PriceLayer } from './price-layer';

/** A series that keeps what it is given. */
class FakeSeries {
  data: unknown[] = [];
  options: Record<string, unknown> = {};
  order = 0;
  setData = (data: unknown[]) => { this.data = data; };
  update = (datum: unknown) => this.data.push(datum);
  applyOptions = (options: Record<string, unknown>) => { Object.assign(this.options, options); };
  setSeriesOrder = (order: number) => { this.order = order; };
  attachPrimitive = () => undefined;
  detachPrimitive = () => undefined;
}

describe('PriceLayer', () => {
  let series: FakeSeries[];
  let layer: PriceLayer;
  const palette = PALETTES.dark;
  const kinds = () => ({ comparison: series[0], line: series[1], candles: series[2], volumes: series[3] });

  beforeEach(() => {
    series = [];
    const addSeries = (_: unknown, options: Record<string, unknown> = {}) => {
      const made = new FakeSeries();
      made.options = { ...options };
      series.push(made);
      return made;
    };
    layer = new PriceLayer({ addSeries } as unknown as IChartApi, palette);
  });

  it('draws all bars where they changed as a whole', () => {
    layer.draw(bars(1, 3), { whole: true, updates: [], prepended: 0 });
    expect(kinds().candles?.data).toHaveLength(3);
    expect(kinds().line?.data).toEqual([101, 102, 103].map((value, at) => ({ time: timeOf(at + 1), value })));
    expect(kinds().volumes?.data[0]).toMatchObject({ value: 1000, color: palette.upVolume });
  });

  it('updates the few that are new, and tells a falling session by its volume', () => {
    layer.draw(bars(1, 3), { whole: true, updates: [], prepended: 0 });
    const falling = bar(4, { open: 120, close: 90 });
    layer.draw([...bars(1, 3), falling], { whole: false, updates: [falling], prepended: 0 });
    expect(kinds().candles?.data).toHaveLength(4);
    expect(kinds().volumes?.data.at(-1)).toMatchObject({ color: palette.downVolume });
  });

  it('shows candles or a line, and marks go with either', () => {
    expect(layer.main).toBe(kinds().candles);
    layer.drawAs('line');
    expect(layer.main).toBe(kinds().line);
    expect([kinds().candles?.options['visible'], kinds().line?.options['visible']]).toEqual([false, true]);
  });

  it('draws what prices are compared with, and takes it away', () => {
    layer.compare(bars(1, 2), 'IBM');
    expect(kinds().comparison?.options).toMatchObject({ title: 'IBM', lastValueVisible: true });
    layer.compare([], '');
    expect(kinds().comparison?.data).toEqual([]);
    expect(kinds().comparison?.options).toMatchObject({ lastValueVisible: false });
  });

  it('puts prices above fans, and takes on another theme', () => {
    layer.raise(3);
    expect([kinds().line?.order, kinds().candles?.order]).toEqual([4, 5]);
    layer.dress(PALETTES.light, bars(1, 2));
    expect(kinds().candles?.options['upColor']).toBe(PALETTES.light.up);
    expect(kinds().volumes?.data[0]).toMatchObject({ color: PALETTES.light.upVolume });
  });
});
