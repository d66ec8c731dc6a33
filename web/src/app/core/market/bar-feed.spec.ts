import { TestBed } from '@angular/core/testing';
import { of, throwError } from 'rxjs';

import { FAKE_SOCKET, FakeSocket } from '../../../testing/fake-socket';
import { bar, barClosed, bars, closedAt, page } from '../../../testing/samples';
import { Api, type BarsQuery } from '../api/api';
import { BarFeed } from './bar-feed';
import type { BarClosed } from '../api/events';
import { WEB_SOCKET } from '../stream/market-stream';

const position = (next: number) => ({ 'stock-data': { '0': next } });
const message = (offset: number, data: BarClosed) => ({ type: 'bar', topic: 'stock-data', partition: 0, offset, data });
const hello = { type: 'hello', epochs: { 'stock-data': 'a' }, positions: position(0), source: 'live' };
const gap = { type: 'gap', topic: 'stock-data', partition: 0, from: 0, to: 20 };

/** A log of one partition whose read model may lag behind it. */
class FakeGateway {
  readonly asked: string[] = [];
  log: BarClosed[] = [];
  readTo = 0;
  failing = false;

  symbols() {
    if (this.failing) return throwError(() => new Error('away'));
    const names = [...new Set(this.applied().map(({ symbol }) => symbol))];
    const items = names.map((symbol) => ({ symbol, exchange: 'XNAS', currency: 'USD', bars: 1, last_close: 1 }));
    return of(page(items, position(this.readTo)));
  }

  bars(symbol: string, { limit, before }: BarsQuery) {
    this.asked.push(`${symbol} ${limit}`);
    const own = this.applied().filter((event) => event.symbol === symbol && (before === undefined || event.closed_at < before));
    const items = own.slice(-limit);
    return of(page(items, position(this.readTo), own.length > limit ? (items[0]?.closed_at ?? null) : null));
  }

  private applied() {
    return this.log.slice(0, this.readTo);
  }
}

describe('BarFeed', () => {
  let gateway: FakeGateway;

  async function opened(): Promise<BarFeed> {
    const feed = TestBed.inject(BarFeed);
    await vi.advanceTimersByTimeAsync(10);
    return feed;
  }

  async function say(frame: unknown): Promise<void> {
    FakeSocket.last.say(frame);
    await vi.advanceTimersByTimeAsync(200);
  }

  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.reset();
    gateway = new FakeGateway();
    gateway.log = [1, 2, 3, 4, 5].map((day) => barClosed(day));
    gateway.readTo = 3;
    TestBed.configureTestingModule({
      providers: [
        { provide: Api, useValue: gateway },
        { provide: WEB_SOCKET, useValue: FAKE_SOCKET },
      ],
    });
  });

  afterEach(() => {
    TestBed.resetTestingModule();
    vi.useRealTimers();
  });

  it('streams on from where its snapshots end, without a seam', async () => {
    const feed = await opened();
    expect(feed.bars('AAPL')()).toEqual(bars(1, 3));
    FakeSocket.last.accept();
    expect(FakeSocket.last.sent).toMatchObject([{ type: 'resume', positions: position(2) }]);
    await say([hello, message(3, barClosed(4)), message(4, barClosed(5))]);
    expect(feed.bars('AAPL')()).toEqual(bars(1, 5));
    expect(feed.newest()).toBe(bar(5).time);
  });

  it('redraws a corrected bar', async () => {
    const feed = await opened();
    FakeSocket.last.accept();
    await say(message(3, barClosed(2, { revision: 1, close: 7 })));
    expect(feed.bars('AAPL')()[1]).toMatchObject({ close: 7, revision: 1 });
  });

  it('leaves no hole for a bar from before those it holds: it comes with its page', async () => {
    gateway.log = Array.from({ length: 100 }, (_, at) => barClosed(at + 1));
    gateway.readTo = 100;
    const feed = await opened();
    expect(feed.bars('AAPL')()).toEqual(bars(37, 100));
    FakeSocket.last.accept();
    await say([hello, message(100, barClosed(3, { revision: 1 }))]);
    await feed.older('AAPL');
    expect(feed.bars('AAPL')().map(({ time }) => time)).toEqual(bars(1, 100).map(({ time }) => time));
  });

  it('waits for symbols while there are none, and while the gateway is away', async () => {
    gateway.readTo = 0;
    const feed = await opened();
    expect(feed.load().status).toBe('empty');
    gateway.failing = true;
    await vi.advanceTimersByTimeAsync(3100);
    expect(feed.load().status).toBe('failed');
    expect(FakeSocket.opened).toEqual([]);
    gateway.failing = false;
    gateway.readTo = 3;
    await vi.advanceTimersByTimeAsync(3100);
    expect(feed.load().status).toBe('ready');
    expect(FakeSocket.opened).toHaveLength(1);
  });

  it('reads again after a gap, until the read model has come past it', async () => {
    const feed = await opened();
    FakeSocket.last.accept();
    await say([hello, gap]);
    expect(feed.bars('AAPL')()).toEqual(bars(1, 3));
    gateway.log = Array.from({ length: 21 }, (_, at) => barClosed(at + 1));
    gateway.readTo = 21;
    await vi.advanceTimersByTimeAsync(3100);
    expect(feed.bars('AAPL')()).toEqual(bars(1, 21));
    const asked = gateway.asked.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(gateway.asked).toHaveLength(asked);
  });

  it('drops older bars that may not join on after a gap', async () => {
    const feed = await opened();
    FakeSocket.last.accept();
    gateway.log = Array.from({ length: 300 }, (_, at) => barClosed(at + 1));
    gateway.readTo = 300;
    await say([hello, { ...gap, to: 299 }]);
    const held = feed.bars('AAPL')();
    expect(held).toEqual(bars(237, 300));
  });

  it('welcomes a symbol listed while the page is open', async () => {
    const feed = await opened();
    FakeSocket.last.accept();
    gateway.log = [...gateway.log.slice(0, 3), barClosed(4, { symbol: 'FB', close: 38 })];
    gateway.readTo = 4;
    await say([hello, message(3, barClosed(4, { symbol: 'FB', close: 38 }))]);
    expect(feed.symbols().map(({ symbol }) => symbol)).toEqual(['AAPL', 'FB']);
    expect(feed.loadOf('FB')().status).toBe('ready');
    expect(feed.bars('FB')()).toHaveLength(1);
  });

  it('asks for the adjusted history after what looks like a split, once', async () => {
    await opened();
    FakeSocket.last.accept();
    const asked = gateway.asked.length;
    await say(message(3, barClosed(4, { close: 50 })));
    await say(message(4, barClosed(4, { close: 50, revision: 1 })));
    await vi.advanceTimersByTimeAsync(4000);
    expect(gateway.asked).toHaveLength(asked + 1);
  });

  it('pages older bars in until there are none', async () => {
    gateway.log = Array.from({ length: 1200 }, (_, at) => barClosed(at + 1));
    gateway.readTo = 1200;
    const feed = await opened();
    expect(feed.bars('AAPL')()).toHaveLength(64);
    await feed.hold('AAPL');
    expect(feed.bars('AAPL')()).toHaveLength(500);
    await feed.older('AAPL');
    expect(feed.isComplete('AAPL')).toBe(false);
    await feed.older('AAPL');
    expect(feed.bars('AAPL')()).toEqual(bars(1, 1200));
    expect(feed.isComplete('AAPL')).toBe(true);
    expect(feed.bars('AAPL')()[0]?.closedAt).toBe(closedAt(1));
  });

  it('begins again when the topic was made again', async () => {
    const feed = await opened();
    FakeSocket.last.accept();
    await say(hello);
    FakeSocket.last.end(false);
    await vi.advanceTimersByTimeAsync(600);
    FakeSocket.last.accept();
    gateway.log = [barClosed(9)];
    gateway.readTo = 1;
    await say({ ...hello, epochs: { 'stock-data': 'b' } });
    expect(feed.bars('AAPL')()).toEqual(bars(9, 9));
  });
});
