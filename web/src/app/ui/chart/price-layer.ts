import {
  CandlestickSeries,
  createSeriesMarkers,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  LineSeries,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';

import type { Bar } from '../../core/market/bars';
import { comparisonOptions, lineOptions, priceOptions } from './chart-options';
import type { PriceStyle } from '../../core/state/chart-settings';
import type { Mark } from './marks';
import type { ChartPalette } from './palettes';
import type { BarsChange } from './ranges';

/** Prices, volume, marks and the line of what prices are compared with. */
export class PriceLayer {
  private readonly candles: ISeriesApi<'Candlestick'>;
  private readonly line: ISeriesApi<'Line'>;
  private readonly comparison: ISeriesApi<'Line'>;
  private readonly volumes: ISeriesApi<'Histogram'>;
  private readonly candleMarks: ISeriesMarkersPluginApi<Time>;
  private readonly lineMarks: ISeriesMarkersPluginApi<Time>;
  private style: PriceStyle = 'candles';

  constructor(
    chart: IChartApi,
    private palette: ChartPalette,
  ) {
    this.comparison = chart.addSeries(LineSeries, comparisonOptions(palette));
    this.line = chart.addSeries(LineSeries, { ...lineOptions(palette), visible: false });
    this.candles = chart.addSeries(CandlestickSeries, priceOptions(palette));
    this.volumes = chart.addSeries(
      HistogramSeries,
      { priceFormat: { type: 'volume' }, lastValueVisible: false, priceLineVisible: false },
      1,
    );
    this.candleMarks = createSeriesMarkers(this.candles, []);
    this.lineMarks = createSeriesMarkers(this.line, []);
  }

  /** Whichever series shows the prices now. */
  get main(): ISeriesApi<'Candlestick'> | ISeriesApi<'Line'> {
    return this.style === 'candles' ? this.candles : this.line;
  }

  draw(bars: readonly Bar[], { whole, updates }: BarsChange): void {
    if (whole) {
      this.candles.setData(bars.map(candleOf));
      this.line.setData(bars.map(closeOf));
      this.volumes.setData(bars.map((bar) => this.volumeOf(bar)));
    }
    for (const bar of updates) {
      this.candles.update(candleOf(bar));
      this.line.update(closeOf(bar));
      this.volumes.update(this.volumeOf(bar));
    }
  }

  drawAs(style: PriceStyle): void {
    this.style = style;
    this.candles.applyOptions({ visible: style === 'candles' });
    this.line.applyOptions({ visible: style === 'line' });
  }

  /** Draw closes of something else, or with none take its line away; without a title its last value has no label. */
  compare(bars: readonly Bar[], title: string): void {
    this.comparison.applyOptions({ title, lastValueVisible: title !== '' });
    this.comparison.setData(bars.map(closeOf));
  }

  mark(marks: readonly Mark[]): void {
    const drawn = marks.map((mark) => this.marker(mark));
    this.candleMarks.setMarkers(drawn);
    this.lineMarks.setMarkers(drawn);
  }

  /** Put prices above fans. */
  raise(above: number): void {
    this.line.setSeriesOrder(above + 1);
    this.candles.setSeriesOrder(above + 2);
  }

  dress(palette: ChartPalette, bars: readonly Bar[]): void {
    this.palette = palette;
    this.candles.applyOptions(priceOptions(palette));
    this.line.applyOptions(lineOptions(palette));
    this.comparison.applyOptions(comparisonOptions(palette));
    this.volumes.setData(bars.map((bar) => this.volumeOf(bar)));
  }

  private marker({ time, kind, text }: Mark): SeriesMarker<Time> {
    const at = { time: time as UTCTimestamp, text, color: this.palette.marker };
    if (kind === 'promotion') {
      return { ...at, position: 'aboveBar', shape: 'arrowDown', size: 0.8, color: this.palette.fans.champion };
    }
    return { ...at, position: 'belowBar', shape: kind === 'split' ? 'square' : 'circle', size: 0.6 };
  }

  private volumeOf({ time, volume, open, close }: Bar) {
    const color = close >= open ? this.palette.upVolume : this.palette.downVolume;
    return { time: time as UTCTimestamp, value: volume, color };
  }
}

function candleOf({ time, open, high, low, close }: Bar) {
  return { time: time as UTCTimestamp, open, high, low, close };
}

function closeOf({ time, close }: Bar) {
  return { time: time as UTCTimestamp, value: close };
}
