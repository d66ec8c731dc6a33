import { Component, computed, effect, inject, signal, untracked } from '@angular/core';
import { Router } from '@angular/router';

import { ActionFeed } from '../../../core/market/action-feed';
import { splitFactor, splitsOf, tradedBars } from '../../../core/market/actions';
import { ageOf, ageSaid, isStale } from '../../../core/market/ages';
import { PATHS } from '../../../core/api/api';
import { BarFeed } from '../../../core/market/bar-feed';
import { type Bar, secondsOf } from '../../../core/market/bars';
import { withChallenger } from '../../../core/models/challenger';
import { ExchangeTimes, zoneOf } from '../../../core/market/exchange-times';
import { NAIVE } from '../../../core/models/families';
import { ForecastFeed } from '../../../core/forecasts/forecast-feed';
import { type Fan, scaledFan } from '../../../core/forecasts/forecasts';
import { ModelBoard } from '../../../core/models/model-board';
import { LoadNote } from '../../../ui/load-note';
import { PredictionStore } from '../prediction-store';
import { Selection } from '../../../core/state/selection';
import { ChartSettings } from '../../../core/state/chart-settings';
import { ChartToolbar } from './chart-toolbar';
import { FanLegend, type LegendEntry } from './fan-legend';
import { type DrawnFan, drawnFan } from '../../../ui/chart/fan-points';
import { comparisonSaid, type History, rangeSaid } from './histories';
import { marksOf } from '../../../ui/chart/marks';
import { OhlcvLegend } from './ohlcv-legend';
import { type Comparison, PriceChart, type RangeWish } from '../../../ui/chart/price-chart';
import { QuoteHeader } from './quote-header';
import type { LogicalWindow, RangeName } from '../../../ui/chart/ranges';
import { PastView } from './past-view';
import { WalkSlider } from './walk-slider';

/** Most bars paged in for "All": beyond it a browser spends its time on redrawing. */
const MOST = 6000;
/** Bars held beyond the left edge of the view, so that scrolling never waits. */
const AHEAD = 300;

/** The chosen symbol: quote, legends, ranges and the chart. */
@Component({
  selector: 'ft-chart-panel',
  imports: [ChartToolbar, FanLegend, LoadNote, OhlcvLegend, PriceChart, QuoteHeader, WalkSlider],
  templateUrl: './chart-panel.html',
})
export class ChartPanel {
  protected readonly feed = inject(BarFeed);
  protected readonly selection = inject(Selection);
  protected readonly settings = inject(ChartSettings);
  protected readonly walk = inject(PastView);
  private readonly forecasts = inject(ForecastFeed);
  private readonly store = inject(PredictionStore);
  private readonly board = inject(ModelBoard);
  private readonly actions = inject(ActionFeed);
  private readonly router = inject(Router);

  protected readonly wish = signal<RangeWish>({ range: '3M' });
  protected readonly hovered = signal<number | null>(null);
  private readonly switched = signal<ReadonlyMap<string, boolean>>(new Map());

  protected readonly symbol = computed(() => this.selection.symbol() ?? '');
  private readonly adjusted = computed(() => this.feed.bars(this.symbol())());
  private readonly splits = computed(() => splitsOf(this.actions.of(this.symbol())));
  protected readonly bars = computed(() => (this.settings.raw() ? tradedBars(this.adjusted(), this.splits()) : this.adjusted()));
  protected readonly path = computed(() => PATHS.bars(this.symbol()));
  protected readonly load = computed(() => this.feed.loadOf(this.symbol())());
  private readonly zone = computed(() => zoneOf(this.selection.summary()?.exchange));
  protected readonly times = computed(() => new ExchangeTimes(this.zone()));

  protected readonly entries = computed<readonly LegendEntry[]>(() => {
    const requested = this.store.fan();
    const now = requested === null ? this.forecasts.fans() : [...this.forecasts.fans(), requested];
    const fans = this.walk.active() ? withChallenger(this.walk.fans() ?? [], this.board.leaderboard()) : now;
    return fans.map((fan) => ({
      fan: this.inTerms(fan),
      shown: this.switched().get(keyOf(fan)) ?? isShown(fan),
      aged: this.agedSaid(fan),
    }));
  });
  protected readonly fans = computed(() =>
    this.entries()
      .filter(({ shown }) => shown)
      .map(({ fan, aged }) => drawnFan(fan, this.bars(), aged !== null)),
  );
  protected readonly marks = computed(() => marksOf(this.bars(), this.actions.of(this.symbol()), this.board.promotions()));
  protected readonly comparison = computed<Comparison | null>(() => {
    const [symbol, first] = [this.settings.comparison(), this.bars()[0]?.time ?? 0];
    if (symbol === null || symbol === this.symbol()) return null;
    return { symbol, bars: this.feed.bars(symbol)().filter(({ time }) => time >= first) };
  });
  /** Where the range or the comparison shows less of the past than asked for, why. */
  protected readonly said = computed<readonly string[]>(() => {
    const [range, other] = [this.wish().range, this.settings.comparison()];
    const date = (time: number): string => this.times().date(time);
    const own = rangeSaid(this.historyOf(this.symbol()), range, MOST, date);
    const compared = other === null ? null : comparisonSaid(this.historyOf(other), this.adjusted(), range, date);
    return [own, compared].filter((each) => each !== null);
  });
  protected readonly shownTime = computed(() => {
    const originAt = this.walk.originAt();
    return originAt === null ? null : secondsOf(originAt);
  });

  private readonly hoveredAt = computed(() => this.bars().findIndex(({ time }) => time === this.hovered()));
  protected readonly bar = computed<Bar | undefined>(() => this.bars().at(this.hoveredAt()));
  protected readonly previous = computed<Bar | undefined>(() => {
    const at = this.hoveredAt();
    return at === 0 ? undefined : this.bars().at(at === -1 ? -2 : at - 1);
  });
  protected readonly step = computed(() => {
    const [time, last] = [this.hovered(), this.bars().at(-1)?.time ?? 0];
    if (time === null || time <= last) return undefined;
    const steps = this.entries().find(({ shown }) => shown)?.fan.steps;
    return steps?.find((step) => step.time === time);
  });

  constructor() {
    effect(() => {
      const symbol = this.selection.symbol();
      untracked(() => {
        this.hovered.set(null);
        if (symbol === null) return;
        this.actions.follow(symbol);
        if (this.settings.comparison() === symbol) this.settings.compareWith(null);
        void this.feed.hold(symbol);
      });
    });
    effect(() => {
      const [other, count] = [this.settings.comparison(), this.adjusted().length];
      if (other !== null) void this.feed.hold(other, count);
    });
  }

  protected toggle(fan: Fan): void {
    const shown = this.entries().find((entry) => entry.fan === fan)?.shown ?? false;
    this.switched.update((switched) => new Map(switched).set(keyOf(fan), !shown));
  }

  protected async choose(range: RangeName): Promise<void> {
    const symbol = this.symbol();
    this.wish.set({ range });
    if (range !== 'All') return;
    while (!this.feed.isComplete(symbol) && this.adjusted().length < MOST && symbol === this.symbol()) {
      const held = this.adjusted().length;
      await this.feed.older(symbol, MOST);
      if (this.adjusted().length === held) break;
    }
    if (symbol === this.symbol() && this.wish().range === range) this.wish.set({ range });
  }

  /** Page older bars in before the view gets to the end; let go of what lies far behind it. */
  protected async onView({ from }: LogicalWindow): Promise<void> {
    const symbol = this.symbol();
    if (from < 20 && this.adjusted().length < MOST && !this.feed.isComplete(symbol)) {
      await this.feed.older(symbol);
      return;
    }
    if (this.wish().range !== 'All') this.feed.trim(symbol, this.adjusted().length - Math.floor(from) + AHEAD);
  }

  protected open({ id }: DrawnFan): void {
    if (id !== null) void this.router.navigate(['/lineage', id]);
  }

  private historyOf(symbol: string): History {
    return { symbol, bars: this.feed.bars(symbol)(), load: this.feed.loadOf(symbol)(), complete: this.feed.isComplete(symbol) };
  }

  /** What a fan of the past said is looked at for its own sake; one that is shown as of now must tell its age. */
  private agedSaid(fan: Fan): string | null {
    const age = ageOf(fan, this.adjusted());
    if (this.walk.active() || !isStale(age)) return null;
    return `from the close of ${this.times().shortDate(fan.origin)}, ${ageSaid(age)}`;
  }

  /** A forecast speaks in the share terms of its origin; bars not shown as traded are in those of the newest. */
  private inTerms(fan: Fan): Fan {
    const last = this.adjusted().at(-1);
    return this.settings.raw() || last === undefined ? fan : scaledFan(fan, splitFactor(this.splits(), fan.origin, last.time));
  }
}

function keyOf({ role, version }: Fan): string {
  return role === 'REQUESTED' ? role : version;
}

function isShown({ role, family }: Fan): boolean {
  return role !== 'SHADOW' || family === NAIVE;
}
