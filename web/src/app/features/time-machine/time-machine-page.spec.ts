import { Component, input } from '@angular/core';
import { type ComponentFixture, TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';
import { of, throwError } from 'rxjs';

import { FAKE_SOCKET, FakeSocket } from '../../../testing/fake-socket';
import { promotion } from '../../../testing/models';
import { barClosed, forecast, page } from '../../../testing/samples';
import { wordsIn } from '../../../testing/words';
import { Api, type BarsQuery, type ForecastsQuery } from '../../core/api/api';
import { WEB_SOCKET } from '../../core/stream/market-stream';
import { PriceChart } from '../../ui/chart/price-chart';
import { TimeMachinePage } from './time-machine-page';

/** The chart draws on a canvas, which the tests' page has not. */
@Component({ selector: 'ft-price-chart', template: '' })
class NoChart {
  readonly symbol = input();
  readonly bars = input();
  readonly fans = input();
  readonly marks = input();
  readonly times = input();
  readonly wish = input();
  readonly comparison = input();
}

const span = (first: number, last: number) => Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => barClosed(first + at));
const dayOf = (as_of: string) => Number(as_of.slice(8, 10));

class FakeApi {
  readonly asked: string[] = [];
  failing = false;
  firstPromotion = '2012-01-02T21:00:00Z';
  symbols = () => of(page([{ symbol: 'AAPL', exchange: 'XNAS', currency: 'USD', bars: 20, last_close: 120 }], {}));
  bars = (_: string, { as_of, start }: BarsQuery) => {
    if (as_of !== undefined) this.asked.push(as_of);
    if (as_of !== undefined && this.failing) return throwError(() => new Error('away'));
    return of(page(as_of !== undefined ? (dayOf(as_of) < 2 ? [] : span(1, dayOf(as_of))) : start !== undefined ? span(dayOf(start) + 1, 20) : span(1, 20), {}));
  };
  forecasts = (_: string, { as_of = '2012-01-20' }: ForecastsQuery) =>
    of(page(as_of < this.firstPromotion ? [] : [forecast(dayOf(as_of)), forecast(dayOf(as_of), { version: '1', family: 'naive', role: 'SHADOW' })], {}));
  actions = () => of({ items: [] });
  promotions = () => of({ items: [promotion({ decided_at: this.firstPromotion, family: 'arima' })] });
  models = () => of({ items: [] });
  leaderboard = () => of({ items: [] });
  pipeline = () =>
    of({
      clock: { now: '2012-01-20T22:00:00Z', live_from: '2011-01-03', ends: '2013-03-01', running: true, seconds_per_session: 5, remaining: 10 },
      market: null, dead_letters: 0, topics: [], read_models: [], services: [], links: {},
    });
}

describe('TimeMachinePage', () => {
  let api: FakeApi;
  let fixture: ComponentFixture<TimeMachinePage>;

  const host = () => fixture.nativeElement as HTMLElement;
  const find = (id: string) => host().querySelector<HTMLElement>(`[data-testid="${id}"]`);
  const text = (id: string) => wordsIn(find(id));

  async function settled(): Promise<void> {
    for (let turn = 0; turn < 4; turn++) {
      await vi.advanceTimersByTimeAsync(50);
      TestBed.tick();
      fixture.detectChanges();
    }
  }

  async function choose(day: string): Promise<void> {
    const field = find('machine-day') as HTMLInputElement;
    field.value = day;
    field.dispatchEvent(new Event('change'));
    await settled();
  }

  beforeEach(async () => {
    vi.useFakeTimers();
    FakeSocket.reset();
    api = new FakeApi();
    TestBed.configureTestingModule({
      providers: [provideRouter([]), { provide: Api, useValue: api }, { provide: WEB_SOCKET, useValue: FAKE_SOCKET }],
    });
    TestBed.overrideComponent(TimeMachinePage, { remove: { imports: [PriceChart] }, add: { imports: [NoChart] } });
    fixture = TestBed.createComponent(TimeMachinePage);
    await settled();
  });

  afterEach(() => {
    TestBed.resetTestingModule();
    vi.useRealTimers();
  });

  it('opens two weeks before the newest close, with what was known and said then', () => {
    expect(api.asked).toEqual(['2012-01-06T23:59:59Z']);
    expect(find('machine')?.dataset['last']).toBe('2012-01-06T21:00:00Z');
    expect(text('machine-said')).toContain('ARIMA champion v4');
    expect(text('machine-said')).toContain('107.00 ✓');
    expect(text('machine-said')).toContain('2 of 2');
  });

  it('hides what then happened where one asks for that', async () => {
    host().querySelector<HTMLInputElement>('.check input')?.click();
    await settled();
    expect(text('machine-said')).not.toContain('✓');
    expect(text('machine-said')).not.toContain('of 2');
  });

  it('moves by days, and not beyond today', async () => {
    find('machine-earlier')?.click();
    await settled();
    expect(api.asked.at(-1)).toBe('2012-01-05T23:59:59Z');
    await choose('2012-01-20');
    expect(text('machine-since')).toContain('this is the newest');
  });

  it('says that nothing was forecast yet, and leads to the first day of which there is something', async () => {
    api.firstPromotion = '2012-01-04T21:00:00Z';
    await choose('2012-01-03');
    expect(text('machine-unsaid')).toContain('No forecasts before the end of 2012-01-03');
    find('machine-unsaid')?.querySelector('button')?.click();
    await settled();
    expect(api.asked.at(-1)).toBe('2012-01-04T23:59:59Z');
  });

  it('says that nothing was recorded by then', async () => {
    await choose('2012-01-01');
    expect(text('machine-empty')).toContain('No bars of AAPL before the end of 2012-01-01');
    find('machine-first')?.click();
    await settled();
    expect(api.asked.at(-1)).toBe('2012-01-02T23:59:59Z');
  });

  it('says why the past cannot be read', async () => {
    api.failing = true;
    await choose('2012-01-09');
    expect(find('machine')).toBeNull();
    expect(find('problem')).not.toBeNull();
  });
});
