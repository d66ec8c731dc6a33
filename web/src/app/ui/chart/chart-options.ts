import {
  type CandlestickSeriesPartialOptions,
  type ChartOptions,
  ColorType,
  CrosshairMode,
  type DeepPartial,
  type LineSeriesPartialOptions,
  LineStyle,
  TickMarkType,
} from 'lightweight-charts';

import type { ExchangeTimes } from '../../core/market/exchange-times';
import { DASHES } from './fan-kinds';
import type { DrawnFan } from './fan-points';
import type { FanOptions } from './fan-series';
import type { ChartPalette } from './palettes';

/** `labelled` hears of each time that is given a label. */
export function chartOptions(palette: ChartPalette, times: ExchangeTimes, labelled: (time: number) => void): DeepPartial<ChartOptions> {
  return {
    layout: {
      background: { type: ColorType.Solid, color: palette.background },
      textColor: palette.text,
      fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
      fontSize: 11,
      // The logo brings an inline style element, which the page's policy refuses; the notice stands under the chart.
      attributionLogo: false,
      panes: { separatorColor: palette.grid, separatorHoverColor: palette.grid, enableResize: false },
    },
    grid: { vertLines: { color: palette.grid }, horzLines: { color: palette.grid } },
    crosshair: {
      mode: CrosshairMode.Normal,
      vertLine: { color: palette.crosshair, labelBackgroundColor: palette.label },
      horzLine: { color: palette.crosshair, labelBackgroundColor: palette.label },
    },
    rightPriceScale: { borderVisible: false, minimumWidth: 62, entireTextOnly: true, scaleMargins: { top: 0.12, bottom: 0.06 } },
    timeScale: {
      borderVisible: false,
      shiftVisibleRangeOnNewBar: false,
      minBarSpacing: 0.2,
      // Null leaves years to the library; days and months are those of the exchange.
      tickMarkFormatter: (time: unknown, type: TickMarkType) => {
        if (typeof time !== 'number') return null;
        labelled(time);
        return type === TickMarkType.DayOfMonth ? times.dayOfMonth(time) : type === TickMarkType.Month ? times.month(time) : null;
      },
    },
    // A finger that moves up or down scrolls the page, not the prices; one that moves along, or two, move the chart.
    handleScroll: { vertTouchDrag: false },
    localization: {
      locale: 'en-GB',
      timeFormatter: (time: unknown) => (typeof time === 'number' ? times.day(time) : ''),
    },
  };
}

export function priceOptions(palette: ChartPalette): CandlestickSeriesPartialOptions {
  return {
    upColor: palette.up,
    downColor: palette.down,
    wickUpColor: palette.up,
    wickDownColor: palette.down,
    borderVisible: false,
    priceLineStyle: LineStyle.Dotted,
  };
}

export function lineOptions(palette: ChartPalette): LineSeriesPartialOptions {
  return { color: palette.line, lineWidth: 2, priceLineStyle: LineStyle.Dotted };
}

export function comparisonOptions(palette: ChartPalette): LineSeriesPartialOptions {
  return { color: palette.comparison, lineWidth: 2, priceLineVisible: false };
}

/** Filled for what users are shown, dashed for what is held against it; faded once it is old. */
export function fanStyle({ kind, stale }: DrawnFan, palette: ChartPalette): Partial<FanOptions> {
  return { color: palette.fans[kind], opacity: kind === 'champion' ? 0.17 : 0, dash: DASHES[kind], fade: stale ? 0.4 : 1 };
}
