import { computed, DestroyRef, inject, Injectable, type Signal, signal, type WritableSignal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { firstValueFrom, from, timer } from 'rxjs';

import { Api } from '../api/api';
import type { Offsets, SymbolSummary } from '../api/api-types';
import { BarBook } from './bar-book';
import { BarSnapshots, PAGE } from './bar-snapshots';
import { type Bar, barOf, jumps } from './bars';
import { type Batch, liveList, RETRY } from '../stream/live-list';
import type { BarClosed } from '../api/events';
import { EMPTY_LOAD, failed, type LoadState, LOADING, READY } from '../api/load-state';
import { MarketStream, type Stream } from '../stream/market-stream';
import { problemOf } from '../api/problems';
import type { LinkState } from '../stream/resuming-socket';

/** Bars of every symbol that the list's sparklines need. */
const TAIL = 64;
const REFRESH = 20_000;
const ATTEMPTS = 200;

type Take = 'extend' | 'replace';

interface Series {
  readonly load: WritableSignal<LoadState>;
  /** Whether no bars exist before the oldest held. */
  readonly complete: WritableSignal<boolean>;
  /** Newest or older bars under way: asked for one after the other. */
  under: Promise<void>;
}

/** All symbols and their bars: snapshots first, then the stream from where they end, without a seam. */
@Injectable({ providedIn: 'root' })
export class BarFeed {
  private readonly api = inject(Api);
  private readonly snapshots = inject(BarSnapshots);
  private readonly market = inject(MarketStream);
  private readonly destroyed = inject(DestroyRef);

  private readonly book = new BarBook();
  private readonly series = new Map<string, Series>();
  private readonly listed = signal<readonly SymbolSummary[]>([]);
  private readonly listLoad = signal<LoadState>(LOADING);
  private readonly stream = signal<Stream | null>(null);
  private readonly lastArrival = signal<number | null>(null);
  private readonly newestClose = signal<number | null>(null);
  private readonly suspects = new Set<string>();
  private alive = true;

  readonly symbols = this.listed.asReadonly();
  readonly load = this.listLoad.asReadonly();
  /** Close of the newest bar of any symbol, seconds since the epoch. */
  readonly newest = this.newestClose.asReadonly();
  /** When the last bar came in, milliseconds since the epoch by this machine's clock. */
  readonly arrivedAt = this.lastArrival.asReadonly();
  readonly link: Signal<LinkState | null> = computed(() => {
    const stream = this.stream();
    return stream === null ? null : stream.socket.link();
  });

  constructor() {
    this.destroyed.onDestroy(() => (this.alive = false));
    liveList<readonly Offsets[]>({
      read: () => from(this.snapshot(this.stream() === null ? 'extend' : 'replace')),
      failed: () => undefined, // `list` and `read` have told whose failure it is
      took: () => undefined, // and taken in what there is
      positions: (positions) => positions,
      open: (positions) => this.connect(positions),
    })
      .pipe(takeUntilDestroyed())
      .subscribe((batch) => {
        this.apply(batch);
      });
    timer(REFRESH, REFRESH)
      .pipe(takeUntilDestroyed())
      .subscribe(() => void this.list());
  }

  bars(symbol: string): Signal<readonly Bar[]> {
    return this.book.bars(symbol);
  }

  loadOf(symbol: string): Signal<LoadState> {
    return this.seriesOf(symbol).load;
  }

  /** Make sure that at least the newest `count` bars are held, or all there are. */
  hold(symbol: string, count: number = PAGE): Promise<void> {
    return this.inTurn(symbol, async (series) => {
      if (series.complete() || this.bars(symbol)().length >= count) return;
      await this.persist(symbol, count, 'extend');
    });
  }

  /** Page in up to `count` bars before the oldest of those held now; none where others did so meanwhile. */
  older(symbol: string, count: number = PAGE): Promise<void> {
    const oldest = this.bars(symbol)()[0];
    return this.inTurn(symbol, async (series) => {
      if (!series.complete() && this.bars(symbol)()[0] === oldest) await this.pageIn(symbol, series, count);
    });
  }

  isComplete(symbol: string): boolean {
    return this.seriesOf(symbol).complete();
  }

  /** Let go of bars older than the newest `keep`, where more than the book's measure are held. */
  trim(symbol: string, keep: number): void {
    if (this.book.trim(symbol, keep)) this.seriesOf(symbol).complete.set(false);
  }

  /** All symbols with the newest bars of each; more where more are held. */
  private async snapshot(how: Take): Promise<readonly Offsets[]> {
    if (!(await this.list())) throw new Error('there are no symbols yet');
    const reads = this.listed().map(({ symbol }) => this.read(symbol, Math.max(TAIL, this.bars(symbol)().length), how));
    return (await Promise.all(reads)).filter((position) => position !== null);
  }

  private async list(): Promise<boolean> {
    try {
      const { items } = await firstValueFrom(this.api.symbols());
      const fresh = new Set(items.map(({ symbol }) => symbol));
      const unlisted = this.listed().filter(({ symbol }) => !fresh.has(symbol));
      this.listed.set([...items, ...unlisted].sort((a, b) => a.symbol.localeCompare(b.symbol)));
      this.listLoad.set(this.listed().length > 0 ? READY : EMPTY_LOAD);
    } catch (error) {
      if (this.listed().length === 0) this.listLoad.set(failed(problemOf(error)));
    }
    return this.listed().length > 0;
  }

  private connect(positions: readonly Offsets[]): Stream {
    const stream = this.market.bars(positions);
    this.stream.set(stream);
    for (const [symbol, { load }] of this.series) if (load().status === 'failed') void this.persist(symbol, TAIL, 'extend');
    return stream;
  }

  private apply(batch: Batch): void {
    if (batch.some(({ type }) => type === 'remade')) {
      this.book.clear();
      for (const { load } of this.series.values()) load.set(LOADING);
    }
    const events = new Map<string, BarClosed[]>();
    for (const message of batch) {
      if (message.type !== 'bar') continue;
      const own = events.get(message.data.symbol) ?? [];
      own.push(message.data);
      events.set(message.data.symbol, own);
    }
    for (const [symbol, own] of events) this.take(symbol, own);
  }

  private take(symbol: string, events: readonly BarClosed[]): void {
    const [oldest, before] = [this.bars(symbol)()[0], this.bars(symbol)().at(-1)];
    // One from before the oldest held would leave a hole that paging never fills: it is read when one scrolls there.
    const since = oldest === undefined || this.isComplete(symbol) ? -Infinity : oldest.time;
    const bars = events.map(barOf).filter(({ time }) => time >= since);
    if (!this.book.merge(symbol, bars)) return;
    this.lastArrival.set(Date.now());
    this.noteNewest(bars);
    const [first] = events;
    if (first !== undefined && !this.listed().some((known) => known.symbol === symbol)) this.welcome(first);
    const suspect = bars.find((bar, at) => jumps(at === 0 ? before : bars[at - 1], bar));
    if (suspect !== undefined) this.doubt(symbol, suspect);
  }

  /** A symbol that was not there when the page opened: show it now, and ask for what came before. */
  private welcome(event: BarClosed): void {
    const { symbol, exchange, currency, close } = event;
    const summary = { symbol, exchange, currency, bars: 1, last_close: close };
    this.listed.update((known) => [...known, summary].sort((a, b) => a.symbol.localeCompare(b.symbol)));
    void this.persist(symbol, TAIL, 'extend');
  }

  /** Streamed bars are raw: after a jump that looks like a split, the adjusted history is asked for again, once. */
  private doubt(symbol: string, bar: Bar): void {
    const key = `${symbol}|${bar.closedAt}`;
    if (this.suspects.has(key)) return;
    this.suspects.add(key);
    void pause(RETRY).then(() => this.persist(symbol, this.bars(symbol)().length, 'replace'));
  }

  /** Read until it succeeds, and until the snapshot reaches up to what the stream brought without a hole. */
  private async persist(symbol: string, count: number, how: Take): Promise<void> {
    for (let attempt = 0; this.alive && attempt < ATTEMPTS; attempt++) {
      const position = await this.read(symbol, count, how);
      if (position !== null && (this.stream()?.positions.covers(position) ?? true)) return;
      await pause(RETRY);
    }
  }

  /**
   * Take the newest `count` bars in, and return the position that they include; null where they cannot be read. What streamed meanwhile stays; older bars stay when they are known to join on
   * (extend), and go when a hole may lie between or they may be in other share terms (replace).
   */
  private async read(symbol: string, count: number, how: Take): Promise<Offsets | null> {
    const series = this.seriesOf(symbol);
    try {
      const { bars, position, complete } = await this.snapshots.newest(symbol, count);
      const [first, last] = [bars[0]?.time ?? Infinity, bars.at(-1)?.time ?? -Infinity];
      const beyond = this.bars(symbol)().filter(({ time }) => time > last || (how === 'extend' && time < first));
      this.book.replace(symbol, [...bars, ...beyond]);
      this.noteNewest(bars);
      series.complete.set(complete || (how === 'extend' && series.complete()));
      series.load.set(this.bars(symbol)().length > 0 ? READY : EMPTY_LOAD);
      return position;
    } catch (error) {
      if (this.bars(symbol)().length === 0) series.load.set(failed(problemOf(error)));
      return null;
    }
  }

  private async inTurn(symbol: string, act: (series: Series) => Promise<void>): Promise<void> {
    const series = this.seriesOf(symbol);
    series.under = series.under.then(() => act(series));
    await series.under;
  }

  private async pageIn(symbol: string, series: Series, count: number): Promise<void> {
    try {
      const { bars, complete } = await this.snapshots.before(symbol, this.bars(symbol)(), 'splits', count);
      this.book.merge(symbol, bars);
      series.complete.set(complete || bars.length === 0);
    } catch (error) {
      // The chart keeps what it has; scrolling further asks again.
      console.warn('older bars could not be read', symbol, problemOf(error).detail);
    }
  }

  private noteNewest(bars: readonly Bar[]): void {
    const last = Math.max(...bars.map(({ time }) => time), this.newestClose() ?? -Infinity);
    if (Number.isFinite(last)) this.newestClose.set(last);
  }

  private seriesOf(symbol: string): Series {
    let own = this.series.get(symbol);
    if (own === undefined) {
      own = { load: signal<LoadState>(LOADING), complete: signal(false), under: Promise.resolve() };
      this.series.set(symbol, own);
    }
    return own;
  }
}

function pause(milliseconds: number): Promise<unknown> {
  return firstValueFrom(timer(milliseconds));
}
