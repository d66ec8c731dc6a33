import { afterNextRender, Component, computed, DestroyRef, effect, type ElementRef, inject, input, output, signal, untracked, viewChild } from '@angular/core';

import type { Bar } from '../../core/market/bars';
import type { ExchangeTimes } from '../../core/market/exchange-times';
import { Theme } from '../../core/state/theme';
import type { PriceScale, PriceStyle } from '../../core/state/chart-settings';
import { ChartView } from './chart-view';
import type { DrawnFan } from './fan-points';
import type { Mark } from './marks';
import { PALETTES } from './palettes';
import type { LogicalWindow, RangeName } from './ranges';

/** A wish to see a range; a new object each time, so that the same range can be wished for again. */
export interface RangeWish {
  readonly range: RangeName;
}

/** What prices are compared with. */
export interface Comparison {
  readonly symbol: string;
  readonly bars: readonly Bar[];
}

const PAN = 0.15;

/** Candles, volume and fans of one symbol. Loaded only when it comes into view: it brings the chart library. */
@Component({
  selector: 'ft-price-chart',
  template: `<div
    #host
    class="chart-canvas"
    role="application"
    aria-roledescription="price chart"
    tabindex="0"
    [attr.aria-label]="label()"
    [attr.data-in-view]="inView()"
    (keydown)="onKey($event)"
  ></div>`,
})
export class PriceChart {
  readonly symbol = input.required<string>();
  readonly bars = input.required<readonly Bar[]>();
  readonly fans = input.required<readonly DrawnFan[]>();
  readonly marks = input<readonly Mark[]>([]);
  readonly times = input.required<ExchangeTimes>();
  readonly wish = input.required<RangeWish>();
  readonly style = input<PriceStyle>('candles');
  readonly scale = input<PriceScale>('linear');
  readonly comparison = input<Comparison | null>(null);
  /** A time (seconds since the epoch) to keep in view; null: none. */
  readonly shownTime = input<number | null>(null);

  readonly hovered = output<number | null>();
  readonly viewed = output<LogicalWindow>();
  readonly picked = output<DrawnFan>();

  private readonly host = viewChild.required<ElementRef<HTMLElement>>('host');
  private readonly theme = inject(Theme);
  private readonly view = signal<ChartView | null>(null);
  private shown = '';

  /** How many bars' slots are in view. */
  protected readonly inView = signal<number | null>(null);

  protected readonly label = computed(
    () => `${this.symbol()} price chart. Left and right move, with Shift from bar to bar; plus and minus zoom, End goes to the newest bar.`,
  );

  constructor() {
    const destroyed = inject(DestroyRef);
    afterNextRender(() => {
      const view = new ChartView(this.host().nativeElement, PALETTES[this.theme.name()], this.times(), {
        hovered: (time) => {
          this.hovered.emit(time);
        },
        viewed: (window) => {
          this.inView.set(Math.round(window.to - window.from));
          this.viewed.emit(window);
        },
        picked: (fan) => {
          this.picked.emit(fan);
        },
      });
      destroyed.onDestroy(() => {
        view.destroy();
      });
      this.view.set(view);
    });
    effect(() => {
      this.view()?.dress(PALETTES[this.theme.name()], this.times());
    });
    effect(() => {
      const [view, symbol, bars, fans] = [this.view(), this.symbol(), this.bars(), this.fans()];
      view?.draw(bars, fans);
      if (view === null || bars.length === 0 || this.shown === symbol) return;
      // The first bars of another symbol: what was in view of the last one means nothing here.
      this.shown = symbol;
      view.show(untracked(this.wish).range);
    });
    effect(() => {
      const [view, marks] = [this.view(), this.marks()];
      this.theme.name();
      view?.mark(marks);
    });
    effect(() => {
      const [view, style, scale] = [this.view(), this.style(), this.scale()];
      view?.drawAs(style, scale);
    });
    effect(() => {
      const [view, comparison] = [this.view(), this.comparison()];
      view?.compare(comparison?.bars ?? [], comparison?.symbol ?? '');
    });
    effect(() => {
      const { range } = this.wish();
      this.view()?.show(range);
    });
    effect(() => {
      const [view, time] = [this.view(), this.shownTime()];
      if (time !== null) view?.reveal(time);
    });
  }

  protected onKey(event: KeyboardEvent): void {
    const view = this.view();
    const key = event.shiftKey && event.key.startsWith('Arrow') ? `Shift${event.key}` : event.key;
    const act = view === null ? undefined : this.actions(view)[key];
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }

  private actions(view: ChartView): Readonly<Record<string, () => void>> {
    const zoomIn = (): void => {
      view.zoom(0.8);
    };
    return {
      ArrowLeft: () => {
        view.pan(-PAN);
      },
      ArrowRight: () => {
        view.pan(PAN);
      },
      ShiftArrowLeft: () => {
        view.step(-1);
      },
      ShiftArrowRight: () => {
        view.step(1);
      },
      PageUp: () => {
        view.pan(-1);
      },
      PageDown: () => {
        view.pan(1);
      },
      '+': zoomIn,
      '=': zoomIn,
      '-': () => {
        view.zoom(1.25);
      },
      End: () => {
        view.show(this.wish().range);
      },
    };
  }
}
