import { TestBed } from '@angular/core/testing';
import { of, Subject, type Subscription, throwError } from 'rxjs';

import { FAKE_SOCKET, FakeSocket } from '../../../testing/fake-socket';
import { barClosed } from '../../../testing/samples';
import type { Offsets } from '../api/api-types';
import { type Batch, liveList } from './live-list';
import { MarketStream, WEB_SOCKET } from './market-stream';

const position = (next: number): Offsets => ({ 'stock-data': { '0': next } });
const bar = (offset: number) => ({ type: 'bar', topic: 'stock-data', partition: 0, offset, data: barClosed(offset + 1) });
const gap = (to: number) => ({ type: 'gap', topic: 'stock-data', partition: 0, from: 0, to });

describe('liveList', () => {
  let readTo: number;
  let failing: boolean;
  let told: string[];
  let taken: Offsets[];
  let batches: Batch[];
  let listening: Subscription;

  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.reset();
    [readTo, failing, told, taken, batches] = [3, false, [], [], []];
    TestBed.configureTestingModule({ providers: [{ provide: WEB_SOCKET, useValue: FAKE_SOCKET }] });
    const market = TestBed.inject(MarketStream);
    listening = liveList<Offsets>({
      read: () => (failing ? throwError(() => new Error('away')) : of(position(readTo))),
      failed: ({ detail }) => told.push(detail),
      took: (snapshot) => taken.push(snapshot),
      positions: (snapshot) => [snapshot],
      open: (positions) => market.bars(positions),
    }).subscribe((batch) => batches.push(batch));
  });

  afterEach(() => {
    listening.unsubscribe();
    vi.useRealTimers();
  });

  async function say(frame: unknown): Promise<void> {
    FakeSocket.last.say(frame);
    await vi.advanceTimersByTimeAsync(200);
  }

  it('streams on from where the snapshot ends', async () => {
    FakeSocket.last.accept();
    expect(FakeSocket.last.sent).toMatchObject([{ type: 'resume', positions: position(2) }]);
    await say([bar(3), bar(4)]);
    expect(batches.flat().map((message) => message.type)).toEqual(['bar', 'bar']);
    expect(taken).toEqual([position(3)]);
  });

  it('reads again after a gap until no hole is left, and goes on listening meanwhile', async () => {
    FakeSocket.last.accept();
    await say(gap(9));
    expect(taken).toEqual([position(3), position(3)]);
    await say(bar(10));
    readTo = 11;
    await vi.advanceTimersByTimeAsync(3100);
    expect(taken.at(-1)).toEqual(position(11));
    const reads = taken.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(taken).toHaveLength(reads);
    expect(batches.flat().map((message) => message.type)).toEqual(['gap', 'bar']);
    expect(FakeSocket.opened).toHaveLength(1);
  });

  it('tells a failure of a repair, and tries it again', async () => {
    FakeSocket.last.accept();
    failing = true;
    await say(gap(2));
    expect(told).toHaveLength(1);
    failing = false;
    await vi.advanceTimersByTimeAsync(3100);
    expect(taken).toHaveLength(2);
  });

  it('opens no socket before the first snapshot, and closes it when nobody listens', () => {
    const never = new Subject<Offsets>();
    FakeSocket.reset();
    const market = TestBed.inject(MarketStream);
    const source = { failed: () => undefined, took: () => undefined, positions: () => [], open: () => market.bars([]) };
    const waiting = liveList<Offsets>({ ...source, read: () => never }).subscribe();
    expect(FakeSocket.opened).toEqual([]);
    never.next(position(1));
    expect(FakeSocket.opened).toHaveLength(1);
    waiting.unsubscribe();
    expect(FakeSocket.last.closed).toBe(true);
  });
});
