import { Component, computed, effect, inject, signal, untracked } from '@angular/core';
import { Router, RouterLink } from '@angular/router';
import { firstValueFrom } from 'rxjs';

import { splitFactor, splitsOf } from '../../core/actions';
import { Api } from '../../core/api';
import { BarFeed } from '../../core/bar-feed';
import { type Bar, barOf, secondsOf } from '../../core/bars';
import { ExchangeTimes, zoneOf } from '../../core/exchange-times';
import { familyName } from '../../core/families';
import { currentFans, tally } from '../../core/forecasts';
import { type Problem, problemOf } from '../../core/problems';
import { change, count, price } from '../../common/numbers';
import { ProblemNote } from '../../common/problem-note';
import { kindOf } from '../chart/fan-kinds';
import { type DrawnFan, drawnFan } from '../chart/fan-points';
import { FanSwatch } from '../chart/fan-swatch';
import { marksOf } from '../chart/marks';
import { PriceChart, type RangeWish } from '../chart/price-chart';
import { Selection } from '../market/selection';
import { nextSessions } from '../panel/next-sessions';
import { MarketTime } from '../status/market-time';
import { type AsOf, championAt, dayOf, endOf } from './as-of';

const BARS = 250;
const FORECASTS = 16;
/** Sessions shown of what then happened. */
const SINCE = 10;
const DAY = 86_400;

/** A date: what was known then, what was forecast, and what then happened. */
@Component({
  selector: 'ft-time-machine-page',
  imports: [FanSwatch, PriceChart, ProblemNote, RouterLink],
  templateUrl: './time-machine-page.html',
})
export class TimeMachinePage {
  private readonly api = inject(Api);
  private readonly market = inject(MarketTime);
  private readonly router = inject(Router);
  protected readonly feed = inject(BarFeed);
  protected readonly selection = inject(Selection);

  private readonly chosen = signal<string | null>(null);
  /** Whether a person chose the day. */
  private picked = false;
  protected readonly found = signal<AsOf | null>(null);
  protected readonly busy = signal(false);
  protected readonly problem = signal<Problem | null>(null);
  protected readonly after = signal(true);
  protected readonly wish = signal<RangeWish>({ range: '3M' });

  /** Null while the market's time is not known. */
  protected readonly today = computed(() => {
    const now = this.market.now();
    return now === null ? null : dayOf(now);
  });
  protected readonly day = computed(() => this.chosen() ?? this.today() ?? '');
  /** Whether there is no later day to move to, as far as is known. */
  protected readonly isToday = computed(() => this.day() === '' || this.day() >= (this.today() ?? '9999'));
  protected readonly times = computed(() => new ExchangeTimes(zoneOf(this.selection.summary()?.exchange)));
  protected readonly last = computed(() => this.found()?.bars.at(-1));
  protected readonly fans = computed<readonly DrawnFan[]>(() => {
    const found = this.found();
    return found === null
      ? []
      : found.fans.filter(({ role, family }) => role === 'CHAMPION' || family === 'naive').map((fan) => drawnFan(fan, found.bars));
  });
  protected readonly besideWalk = computed(() => this.fans().some(({ kind }) => kind === 'naive'));
  protected readonly marks = computed(() => {
    const found = this.found();
    return found === null ? [] : marksOf(found.bars, found.actions, found.champion === null ? [] : [found.champion]);
  });
  protected readonly comparison = computed(() => {
    const [found, last] = [this.found(), this.last()];
    if (found === null || last === undefined || !this.after()) return null;
    return { symbol: '', bars: [last, ...found.since] };
  });
  protected readonly said = computed(() => {
    const [found, last] = [this.found(), this.last()];
    if (found === null || last === undefined) return [];
    const closes = new Map(found.since.map(({ time, close }) => [time, close]));
    return nextSessions(found.fans, found.bars, splitsOf(found.actions)).map((row) => {
      const came = closes.get(row.time) ?? null;
      const inside = came === null ? null : row.low95 <= came && came <= row.high95;
      return { ...row, came, inside, tally: tally(row.fan, closes) };
    });
  });

  protected readonly kindOf = kindOf;
  protected readonly name = familyName;
  protected readonly price = price;
  protected readonly change = change;
  protected readonly count = count;

  constructor() {
    effect(() => {
      const [symbol, day, newest] = [this.selection.symbol(), this.chosen(), untracked(this.feed.newest) ?? this.feed.newest()];
      // First two weeks ago: long enough that what was said has come to pass.
      if (day === null && newest !== null) this.chosen.set(dayOf(newest - 14 * DAY));
      if (symbol !== null && day !== null) void untracked(() => this.read(symbol, day));
    });
  }

  protected choose(event: Event): void {
    if (event.target instanceof HTMLInputElement && event.target.value !== '') this.pick(event.target.value);
  }

  protected chooseSymbol(event: Event): void {
    if (event.target instanceof HTMLSelectElement) this.selection.choose(event.target.value);
  }

  /** Move by days; weekends and holidays know what the session before them knew. */
  protected move(days: number): void {
    this.pick(dayOf(secondsOf(endOf(this.day())) + days * DAY));
  }

  private pick(day: string): void {
    this.picked = true;
    this.chosen.set(day);
  }

  protected toggleAfter(): void {
    this.after.update((shown) => !shown);
  }

  protected corrected(bars: readonly Bar[]): string {
    return `${count(bars.filter(({ revision }) => revision > 0).length)} of ${count(bars.length)}`;
  }

  protected open({ id }: DrawnFan): void {
    if (id !== null) void this.router.navigate(['/lineage', id]);
  }

  private async read(symbol: string, day: string): Promise<void> {
    const as_of = endOf(day);
    this.busy.set(true);
    this.problem.set(null);
    try {
      const [bars, forecasts, actions, moves, now] = await Promise.all([
        firstValueFrom(this.api.bars(symbol, { as_of, adjust: 'splits', limit: BARS })),
        firstValueFrom(this.api.forecasts(symbol, { as_of, limit: FORECASTS })),
        firstValueFrom(this.api.actions(symbol, { as_of })),
        firstValueFrom(this.api.promotions()),
        firstValueFrom(this.api.bars(symbol, { adjust: 'none', start: as_of, limit: 5000 })),
      ]);
      if (symbol !== this.selection.symbol() || day !== this.day()) return;
      const held = bars.items.map(barOf);
      const first = moves.items.at(-1);
      if (held.length === 0 && !this.picked && first !== undefined && endOf(day) < first.decided_at) {
        this.chosen.set(dayOf(secondsOf(first.decided_at))); // a young system: the first day that has a forecast
        return;
      }
      this.found.set({
        at: as_of,
        symbol,
        bars: held,
        since: await this.since(symbol, held, now.items.map(barOf)),
        fans: currentFans(forecasts.items),
        actions: actions.items,
        champion: championAt(moves.items, as_of),
      });
      this.wish.set({ range: '3M' });
    } catch (error) {
      this.problem.set(problemOf(error));
    } finally {
      this.busy.set(false);
    }
  }

  /** The first closes after those known, in the share terms of the last one known. */
  private async since(symbol: string, known: readonly Bar[], traded: readonly Bar[]): Promise<readonly Bar[]> {
    const last = known.at(-1);
    if (last === undefined) return [];
    const splits = splitsOf((await firstValueFrom(this.api.actions(symbol))).items);
    return traded
      .filter(({ time }) => time > last.time)
      .slice(0, SINCE)
      .map((bar) => ({ ...bar, close: bar.close * splitFactor(splits, last.time, bar.time) }));
  }
}
