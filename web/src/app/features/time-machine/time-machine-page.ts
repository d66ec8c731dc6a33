import { Component, computed, effect, inject, signal, untracked } from '@angular/core';
import { takeUntilDestroyed, toObservable } from '@angular/core/rxjs-interop';
import { Router } from '@angular/router';
import { catchError, EMPTY, type Observable, switchMap, tap } from 'rxjs';

import { splitsOf } from '../../core/market/actions';
import { PATHS } from '../../core/api/api';
import { BarFeed } from '../../core/market/bar-feed';
import { type Bar, secondsOf } from '../../core/market/bars';
import { ExchangeTimes, zoneOf } from '../../core/market/exchange-times';
import { familyName } from '../../core/models/families';
import { tally } from '../../core/forecasts/forecasts';
import { EMPTY_LOAD, failed, type LoadState, LOADING, READY } from '../../core/api/load-state';
import { problemOf } from '../../core/api/problems';
import { count, price } from '../../ui/numbers';
import { LoadNote } from '../../ui/load-note';
import { type DrawnFan, drawnFan } from '../../ui/chart/fan-points';
import { FanSwatch } from '../../ui/chart/fan-swatch';
import { marksOf } from '../../ui/chart/marks';
import { PriceChart, type RangeWish } from '../../ui/chart/price-chart';
import { Selection } from '../../core/state/selection';
import { type QuantileColumn, type QuantileRow, QuantileTable } from '../../ui/quantile-table';
import { nextSessions } from '../../ui/next-sessions';
import { MarketTime } from '../../core/market/market-time';
import { type AsOf, dayOf, endOf } from '../../core/past/as-of';
import { PastReads } from '../../core/past/past-reads';

const DAY = 86_400;
const COLUMNS: readonly QuantileColumn[] = [
  { name: 'Came', about: null },
  { name: 'Inside 95 %', about: 'All its sessions that have closed since' },
];

interface Asked {
  readonly symbol: string;
  readonly day: string;
}

/** A date: what was known then, what was forecast, and what then happened. */
@Component({
  selector: 'ft-time-machine-page',
  imports: [FanSwatch, LoadNote, PriceChart, QuantileTable],
  templateUrl: './time-machine-page.html',
})
export class TimeMachinePage {
  private readonly reads = inject(PastReads);
  private readonly market = inject(MarketTime);
  private readonly router = inject(Router);
  protected readonly feed = inject(BarFeed);
  protected readonly selection = inject(Selection);

  private readonly chosen = signal<string | null>(null);
  private readonly asked = computed<Asked | null>(() => {
    const [symbol, day] = [this.selection.symbol(), this.chosen()];
    return symbol === null || day === null ? null : { symbol, day };
  });
  /** Whether a person chose the day. */
  private picked = false;
  protected readonly found = signal<AsOf | null>(null);
  private readonly progress = signal<LoadState>(LOADING);
  protected readonly load = this.progress.asReadonly();
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
  /** The first day of which there can be a forecast. */
  protected readonly firstDay = computed(() => {
    const first = this.found()?.firstPromotion ?? null;
    return first === null ? null : dayOf(secondsOf(first));
  });
  protected readonly paths = computed(() => {
    const symbol = this.selection.symbol() ?? '';
    return [PATHS.bars(symbol), PATHS.forecasts(symbol), PATHS.actions(symbol), PATHS.promotions];
  });
  protected readonly symbolsPath = PATHS.symbols;
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
  protected readonly said = computed<readonly QuantileRow[]>(() => {
    const [found, last] = [this.found(), this.last()];
    if (found === null || last === undefined) return [];
    const closes = new Map(found.since.map(({ time, close }) => [time, close]));
    return nextSessions(found.fans, found.bars, splitsOf(found.actions)).map((row) => {
      const came = this.after() ? (closes.get(row.time) ?? null) : null;
      const mark = came === null ? '' : row.low95 <= came && came <= row.high95 ? ' ✓' : ' ✗';
      const { inside95, n } = tally(row.fan, closes);
      const more = [`${price(came)}${mark}`, this.after() ? `${inside95} of ${n}` : '–'];
      return { ...row, label: `${row.role} v${row.fan.version}`, note: null, more };
    });
  });

  protected readonly columns = COLUMNS;
  protected readonly name = familyName;
  protected readonly price = price;
  protected readonly count = count;

  constructor() {
    effect(() => {
      const newest = untracked(this.feed.newest) ?? this.feed.newest();
      // First two weeks ago: long enough that what was said has come to pass.
      if (this.chosen() === null && newest !== null) this.chosen.set(dayOf(newest - 14 * DAY));
    });
    toObservable(this.asked)
      .pipe(
        tap(() => {
          this.progress.set(LOADING);
        }),
        switchMap((asked) => (asked === null ? EMPTY : this.read(asked))),
        takeUntilDestroyed(),
      )
      .subscribe((found) => {
        this.take(found);
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

  protected pick(day: string): void {
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

  private read({ symbol, day }: Asked): Observable<AsOf> {
    return this.reads.asOf(symbol, day).pipe(
      catchError((error: unknown) => {
        this.found.set(null);
        this.progress.set(failed(problemOf(error)));
        return EMPTY;
      }),
    );
  }

  private take(found: AsOf): void {
    const first = found.firstPromotion;
    if (found.bars.length === 0 && !this.picked && first !== null && found.at < first) {
      this.chosen.set(dayOf(secondsOf(first))); // a young system: the first day that has a forecast
      return;
    }
    this.found.set(found);
    this.progress.set(found.bars.length > 0 ? READY : EMPTY_LOAD);
    this.wish.set({ range: '3M' });
  }
}
