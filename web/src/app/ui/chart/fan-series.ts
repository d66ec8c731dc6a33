import {
  type CustomData,
  type CustomSeriesOptions,
  type CustomSeriesPricePlotValues,
  customSeriesDefaultOptions,
  type ICustomSeriesPaneRenderer,
  type ICustomSeriesPaneView,
  type PaneRendererCustomData,
  type PriceToCoordinateConverter,
  type Time,
} from 'lightweight-charts';

import type { FanPoint } from './fan-points';

export interface FanDatum extends CustomData, Omit<FanPoint, 'time'> {
  /** Before the forecast's origin: takes part in scales that are relative to the first bar in view, is not drawn. */
  readonly hidden?: boolean;
}

export interface FanOptions extends CustomSeriesOptions {
  /** Opacity of the 95 % band; the 80 % and 50 % bands lie on top with as much again. */
  readonly opacity: number;
  /** Dashes of the 95 % band's outline in pixels; empty for none. */
  readonly dash: readonly number[];
  /** Opacity of it all, once it is old. */
  readonly fade: number;
}

type Low = 'low95' | 'low80' | 'low50' | 'median';
type High = 'high95' | 'high80' | 'high50' | 'median';
type Band = readonly { readonly x: number; readonly top: number; readonly bottom: number }[];
type Target = Parameters<ICustomSeriesPaneRenderer['draw']>[0];

/** Draws one forecast: the 50 %, 80 % and 95 % bands and the median. */
export class FanSeries implements ICustomSeriesPaneView<Time, FanDatum, FanOptions>, ICustomSeriesPaneRenderer {
  private data: PaneRendererCustomData<Time, FanDatum> | null = null;
  private options = this.defaultOptions();

  renderer(): ICustomSeriesPaneRenderer {
    return this;
  }

  update(data: PaneRendererCustomData<Time, FanDatum>, options: FanOptions): void {
    this.data = data;
    this.options = options;
  }

  priceValueBuilder({ low95, high95, median }: FanDatum): CustomSeriesPricePlotValues {
    return [low95, high95, median]; // the last is what relative scales take as the value
  }

  isWhitespace(datum: Partial<FanDatum>): datum is CustomData {
    return datum.median === undefined;
  }

  defaultOptions(): FanOptions {
    return { ...customSeriesDefaultOptions, lastValueVisible: false, priceLineVisible: false, opacity: 0.18, dash: [], fade: 1 };
  }

  draw(target: Target, toY: PriceToCoordinateConverter): void {
    const range = this.data?.visibleRange;
    if (this.data === null || range == null) return;
    const bars = this.data.bars.slice(range.from, range.to).filter(({ originalData }) => originalData.hidden !== true);
    target.useBitmapCoordinateSpace(({ context, horizontalPixelRatio, verticalPixelRatio }) => {
      const band = (low: Low, high: High): Band =>
        bars.flatMap(({ x, originalData }) => {
          const [top, bottom] = [toY(originalData[high]), toY(originalData[low])];
          if (top === null || bottom === null) return [];
          return [{ x: x * horizontalPixelRatio, top: top * verticalPixelRatio, bottom: bottom * verticalPixelRatio }];
        });
      const outer = band('low95', 'high95');
      context.save();
      context.lineJoin = 'round';
      context.fillStyle = context.strokeStyle = this.options.color;
      context.globalAlpha = this.options.opacity * this.options.fade;
      fill(context, outer);
      fill(context, band('low80', 'high80'));
      fill(context, band('low50', 'high50'));
      context.globalAlpha = this.options.fade;
      context.lineWidth = Math.max(1, Math.floor(verticalPixelRatio));
      if (this.options.dash.length > 0) {
        context.setLineDash(this.options.dash.map((length) => length * horizontalPixelRatio));
        line(context, outer, 'top');
        line(context, outer, 'bottom');
      }
      context.lineWidth = 2 * Math.max(1, Math.floor(verticalPixelRatio));
      line(context, band('median', 'median'), 'top');
      context.restore();
    });
  }
}

function fill(context: CanvasRenderingContext2D, band: Band): void {
  context.beginPath();
  for (const { x, top } of band) context.lineTo(x, top);
  for (const { x, bottom } of [...band].reverse()) context.lineTo(x, bottom);
  context.closePath();
  context.fill();
}

function line(context: CanvasRenderingContext2D, band: Band, edge: 'top' | 'bottom'): void {
  context.beginPath();
  for (const point of band) context.lineTo(point.x, point[edge]);
  context.stroke();
}
