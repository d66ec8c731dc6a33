import { Component, input, output } from '@angular/core';
import { type ComponentFixture, DeferBlockBehavior, TestBed } from '@angular/core/testing';
import { By } from '@angular/platform-browser';
import { provideRouter, Router } from '@angular/router';
import { of } from 'rxjs';

import { FAKE_SOCKET, FakeSocket } from '../../../../testing/fake-socket';
import { barClosed, forecast, page, timeOf } from '../../../../testing/samples';
import { wordsIn } from '../../../../testing/words';
import { Api, type BarsQuery } from '../../../core/api/api';
import { ForecastFeed } from '../../../core/forecasts/forecast-feed';
import type { Bar } from '../../../core/market/bars';
import { STORAGE } from '../../../core/state/theme';
import { WEB_SOCKET } from '../../../core/stream/market-stream';
import type { DrawnFan } from '../../../ui/chart/fan-points';
import { type Comparison, PriceChart } from '../../../ui/chart/price-chart';
import type { LogicalWindow } from '../../../ui/chart/ranges';
import { ChartPanel } from './chart-panel';

/** The chart draws on a canvas, which the tests' page has not. */
@Component({ selector: 'ft-price-chart', template: '' })
class NoChart {
  readonly symbol = input<string>();
  readonly bars = input<readonly Bar[]>([]);
  readonly fans = input<readonly DrawnFan[]>([]);
  readonly marks = input();
  readonly times = input();
  readonly wish = input<{ range: string }>();
  readonly style = input();
  readonly scale = input();
  readonly comparison = input<Comparison | null>(null);
  readonly shownTime = input();
  readonly hovered = output<number | null>();
  readonly viewed = output<LogicalWindow>();
  readonly picked = output<DrawnFan>();
}

const DAYS = 700;

describe('ChartPanel', () => {
  let fixture: ComponentFixture<ChartPanel>;
  let asked: string[];

  const chart = () => fixture.debugElement.query(By.directive(NoChart)).componentInstance as NoChart;
  const find = (id: string) => (fixture.nativeElement as HTMLElement).querySelector<HTMLElement>(`[data-testid="${id}"]`);
  const text = (id: string) => wordsIn(find(id));

  async function settled(): Promise<void> {
    for (let turn = 0; turn < 4; turn++) {
      await vi.advanceTimersByTimeAsync(50);
      TestBed.tick();
      fixture.detectChanges();
    }
  }

  beforeEach(async () => {
    vi.useFakeTimers();
    FakeSocket.reset();
    asked = [];
    const log = (symbol: string) => Array.from({ length: DAYS }, (_, at) => barClosed(at + 1, { symbol }));
    const api = {
      symbols: () => of(page(['AAPL', 'IBM'].map((symbol) => ({ symbol, exchange: 'XNAS', currency: 'USD', bars: DAYS, last_close: 1 })), {})),
      bars: (symbol: string, { limit, before }: BarsQuery) => {
        asked.push(`${symbol} ${String(limit)}`);
        const own = log(symbol).filter(({ closed_at }) => before === undefined || closed_at < before);
        return of(page(own.slice(-limit), {}, own.length > limit ? (own.at(-limit)?.closed_at ?? null) : null));
      },
      forecasts: (symbol: string) =>
        of(page([forecast(DAYS), forecast(DAYS, { version: '2', family: 'lstm', role: 'SHADOW' })].map((one) => ({ ...one, symbol })), {})),
      models: () => of({ items: [] }),
      leaderboard: () => of({ items: [] }),
      promotions: () => of({ items: [] }),
      actions: () => of({ items: [] }),
    };
    TestBed.configureTestingModule({
      deferBlockBehavior: DeferBlockBehavior.Playthrough,
      providers: [
        provideRouter([]),
        { provide: Api, useValue: api },
        { provide: WEB_SOCKET, useValue: FAKE_SOCKET },
        { provide: STORAGE, useValue: null },
      ],
    });
    TestBed.overrideComponent(ChartPanel, { remove: { imports: [PriceChart] }, add: { imports: [NoChart] } });
    await TestBed.compileComponents();
    fixture = TestBed.createComponent(ChartPanel);
    await settled();
    TestBed.inject(ForecastFeed).follow('AAPL');
    await settled();
  });

  afterEach(() => {
    TestBed.resetTestingModule();
    vi.useRealTimers();
  });

  it('draws the bars it holds and the champion; a shadow where it is switched on', async () => {
    expect(chart().bars()).toHaveLength(500);
    expect(chart().fans().map(({ kind }) => kind)).toEqual(['champion']);
    [...(find('fan-legend')?.querySelectorAll('button') ?? [])].find((each) => each.textContent.includes('LSTM'))?.click();
    await settled();
    expect(chart().fans().map(({ kind }) => kind)).toEqual(['champion', 'lstm']);
  });

  it('tells the bar under the crosshair, and over a session to come what is forecast for it', async () => {
    chart().hovered.emit(timeOf(DAYS - 1));
    await settled();
    expect(text('ohlcv')).toContain('C 799.00');
    chart().hovered.emit(timeOf(DAYS + 1));
    await settled();
    expect(text('ohlcv')).toContain('Median 100.00');
  });

  it('pages older bars in before the view gets to the end, and all of them for "All"', async () => {
    chart().viewed.emit({ from: 10, to: 100 });
    await settled();
    expect(chart().bars()).toHaveLength(DAYS);
    find('range-All')?.click();
    await settled();
    expect(chart().wish()?.range).toBe('All');
    expect(asked.filter((each) => each.startsWith('AAPL'))).toHaveLength(3);
  });

  it('compares with another symbol, in percent', async () => {
    const field = find('compare') as HTMLSelectElement;
    field.value = 'IBM';
    field.dispatchEvent(new Event('change'));
    await settled();
    expect(chart().comparison()?.symbol).toBe('IBM');
    expect(chart().comparison()?.bars).toHaveLength(500);
    expect(chart().scale()).toBe('percent');
  });

  it('opens the lineage of a fan that is clicked', async () => {
    const went = vi.spyOn(TestBed.inject(Router), 'navigate').mockResolvedValue(true);
    const [fan] = chart().fans();
    if (fan !== undefined) chart().picked.emit(fan);
    await settled();
    expect(went).toHaveBeenCalledWith(['/lineage', `4-${String(DAYS)}`]);
  });
});
