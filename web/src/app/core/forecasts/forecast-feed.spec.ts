import { TestBed } from '@angular/core/testing';
import { of, throwError } from 'rxjs';

import { FAKE_SOCKET, FakeSocket } from '../../../testing/fake-socket';
import { forecast, page, timeOf } from '../../../testing/samples';
import { Api } from '../api/api';
import type { ForecastIssued } from '../api/events';
import { ForecastFeed } from './forecast-feed';
import { WEB_SOCKET } from '../stream/market-stream';

const position = { 'stock-forecasts': { '0': 4 } };
const message = (offset: number, data: ForecastIssued) => ({ type: 'forecast', topic: 'stock-forecasts', partition: 0, offset, data });

describe('ForecastFeed', () => {
  let failing: boolean;
  let newest: number;
  let feed: ForecastFeed;
  const nothing = () => of({ items: [] });
  const api = {
    models: nothing,
    leaderboard: nothing,
    promotions: nothing,
    forecasts: (symbol: string) =>
      failing ? throwError(() => new Error('away')) : of(page([{ ...forecast(newest), symbol }], position)),
  };

  async function follow(symbol: string): Promise<void> {
    feed.follow(symbol);
    TestBed.tick();
    await vi.advanceTimersByTimeAsync(10);
  }

  async function say(frame: unknown): Promise<void> {
    FakeSocket.last.say(frame);
    await vi.advanceTimersByTimeAsync(200);
  }

  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.reset();
    failing = false;
    newest = 3;
    TestBed.configureTestingModule({
      providers: [
        { provide: Api, useValue: api },
        { provide: WEB_SOCKET, useValue: FAKE_SOCKET },
      ],
    });
    feed = TestBed.inject(ForecastFeed);
  });

  afterEach(() => {
    TestBed.resetTestingModule();
    vi.useRealTimers();
  });

  it('shows the snapshot, then what is issued after it', async () => {
    await follow('AAPL');
    expect(feed.champion()?.origin).toBe(timeOf(3));
    FakeSocket.last.accept();
    expect(FakeSocket.last.sent).toMatchObject([{ positions: { 'stock-forecasts': { '0': 3 } } }]);
    await say([message(4, forecast(4)), message(5, forecast(4, { family: 'naive', version: '1', role: 'SHADOW' }))]);
    expect(feed.fans().map(({ family, origin }) => [family, origin])).toEqual([
      ['arima', timeOf(4)],
      ['naive', timeOf(4)],
    ]);
  });

  it('leaves one symbol for another with nothing of the first', async () => {
    await follow('AAPL');
    const first = FakeSocket.last;
    first.accept();
    feed.follow('IBM');
    expect(feed.fans()).toEqual([]);
    TestBed.tick();
    await vi.advanceTimersByTimeAsync(10);
    expect(first.closed).toBe(true);
    expect(feed.champion()?.origin).toBe(timeOf(3));
    expect(new URL(FakeSocket.last.url).searchParams.get('symbols')).toBe('IBM');
  });

  it('tells why it cannot read, and tries again', async () => {
    failing = true;
    await follow('AAPL');
    expect(feed.load().status).toBe('failed');
    failing = false;
    await vi.advanceTimersByTimeAsync(3100);
    expect(feed.load().status).toBe('ready');
  });

  it('reads again after a gap', async () => {
    await follow('AAPL');
    FakeSocket.last.accept();
    await say({ type: 'gap', topic: 'stock-forecasts', partition: 0, from: 4, to: 9 });
    newest = 9;
    await vi.advanceTimersByTimeAsync(3100);
    expect(feed.champion()?.origin).toBe(timeOf(9));
    expect(FakeSocket.opened).toHaveLength(1);
  });
});
