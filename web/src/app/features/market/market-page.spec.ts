import { HttpErrorResponse } from '@angular/common/http';
import { type ComponentFixture, DeferBlockBehavior, TestBed } from '@angular/core/testing';
import { provideRouter, Router } from '@angular/router';
import { NEVER, type Observable, of, Subject, throwError } from 'rxjs';

import { FAKE_SOCKET, FakeSocket } from '../../../testing/fake-socket';
import { promotion } from '../../../testing/models';
import { barClosed, forecast, page } from '../../../testing/samples';
import { wordsIn } from '../../../testing/words';
import { App } from '../../app';
import { routes } from '../../app.routes';
import { Api } from '../../core/api/api';
import type { LeaderboardRow, Pipeline, Prediction } from '../../core/api/api-types';
import { WEB_SOCKET } from '../../core/stream/market-stream';

const position = { 'stock-data': { '0': 3 } };
const summary = (symbol: string) => ({ symbol, exchange: 'XNAS', currency: 'USD', bars: 3, last_close: 103 });
const decision = { alias: 'champion', model_name: 'stock-forecaster', version: '4', family: 'arima', run_id: 'r', decided_at: '2011-12-30T21:00:00Z', reason: 'lowest sCRPS' };
const standing = (family: string, version: string, skill: number, verdict: LeaderboardRow['verdict']): LeaderboardRow => ({
  family, version, skill, verdict, step: 1, n: 250, mase: 1.06, scrps: 0.012, coverage_80: 0.8, coverage_95: 0.948,
  sessions: 50, paired_sessions: 50, skill_low: skill - 0.002, skill_high: skill + 0.002,
  crps_skill: null, crps_skill_low: null, crps_skill_high: null,
});
const prediction: Prediction = {
  model: { name: 'stock-forecaster', version: '4', family: 'arima' },
  origin: '2012-01-03T21:00:00Z',
  steps: [{ step: 1, target_at: '2012-01-04T21:00:00Z', mean: 7, quantiles: { '0.025': 1, '0.1': 2, '0.5': 7, '0.9': 8, '0.975': 9 } }],
  warnings: ['The width is largely the usual one.'],
  input_sha256: 'abcdef0123456789',
};

class FakeApi {
  names: readonly string[] = ['AAPL', 'IBM'];
  answer: () => Observable<Prediction> = () => of(prediction);
  symbols = () => of(page(this.names.map(summary), position));
  bars = (symbol: string) => of(page([1, 2, 3].map((day) => barClosed(day, { symbol })), position));
  forecasts = (symbol: string) =>
    of(page([forecast(3), forecast(3, { version: '1', family: 'naive', role: 'SHADOW' })].map((one) => ({ ...one, symbol })), {}));
  models = () => of({ items: this.names.length > 0 ? [decision] : [] });
  leaderboard = () => of({ items: [standing('arima', '4', 0.004, 'better'), standing('naive', '1', 0, 'baseline'), standing('lstm', '2', -0.01, 'worse')] });
  market: Pipeline['market'] = { calendar: 'XNAS', open: true, last_close: '2012-01-03T21:00:00Z', close_before: '2012-01-02T21:00:00Z', changes_at: null };
  pipeline = (): Observable<Pipeline> =>
    of({ clock: null, market: this.market, dead_letters: 0, topics: [], read_models: [], services: [], links: { mlflow: 'http://mlflow', airflow: 'http://airflow' } });
  actions = () => of({ items: [] });
  promotions = () => of({ items: [promotion()] });
  caller = () => of({ name: '127.0.0.1', kind: 'address', scopes: ['read'], session: false });
  predict = () => this.answer();
}

describe('The page', () => {
  let api: FakeApi;
  let fixture: ComponentFixture<App>;

  const find = (id: string) => (fixture.nativeElement as HTMLElement).querySelector<HTMLElement>(`[data-testid="${id}"]`);
  const text = (id: string) => wordsIn(find(id));

  async function settled(): Promise<void> {
    await vi.advanceTimersByTimeAsync(50);
    TestBed.tick();
    await vi.advanceTimersByTimeAsync(50);
    fixture.detectChanges();
  }

  async function open(): Promise<void> {
    TestBed.configureTestingModule({
      // The chart draws on a canvas, which the tests' page has not: real browsers test it.
      deferBlockBehavior: DeferBlockBehavior.Manual,
      providers: [provideRouter(routes), { provide: Api, useValue: api }, { provide: WEB_SOCKET, useValue: FAKE_SOCKET }],
    });
    fixture = TestBed.createComponent(App);
    TestBed.inject(Router).initialNavigation();
    await settled();
    await settled();
  }

  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.reset();
    api = new FakeApi();
  });

  afterEach(() => {
    TestBed.resetTestingModule();
    vi.useRealTimers();
  });

  it('shows the first symbol, its last close and how many bars it holds', async () => {
    await open();
    expect(find('symbol-AAPL')?.getAttribute('aria-current')).toBe('true');
    expect(text('last-close')).toBe('103.00');
    expect(find('bars-count')?.dataset['count']).toBe('3');
    expect(find('bars-count')?.dataset['lastClosedAt']).toBe('2012-01-03T21:00:00Z');
    expect(find('last-bar-date')?.dataset['closedAt']).toBe('2012-01-03T21:00:00Z');
    expect(text('symbol-AAPL')).toContain('short history');
  });

  it('names the champion, the random walk and their coverage', async () => {
    await open();
    expect(text('model-version')).toBe('v4');
    expect(text('fan-legend')).toContain('ARIMA v4 champion · 50 %, 80 % (80.0 % realised), 95 % (94.8 % realised)');
    expect(text('fan-legend')).toContain('Random walk v1 baseline · 95 %');
    expect(text('forecast-table')).toContain('Random walk baseline v1');
  });

  it('shows the best of the others beside a random walk that is the champion', async () => {
    api.forecasts = () => of(page([forecast(3, { family: 'naive' }), forecast(3, { version: '2', family: 'lstm', role: 'SHADOW' })], {}));
    await open();
    expect(text('fan-legend')).toContain('Random walk v4 champion');
    expect(text('fan-legend')).toContain('LSTM v2 challenger · 95 %');
    expect(find('fan-legend')?.querySelectorAll('[aria-pressed="true"]').length).toBe(2);
    expect(text('forecast-table')).toContain('LSTM challenger v2');
  });

  it('shows the standings in their order, coloured beyond noise, the random walk neutral', async () => {
    await open();
    const skills = [...(find('leaderboard')?.querySelectorAll('tbody td:nth-of-type(1)') ?? [])];
    expect(skills.map((cell) => [cell.textContent, cell.className])).toEqual([
      ['+0.40 %', 'skill-good'],
      ['–', ''],
      ['−1.00 %', 'skill-bad'],
    ]);
  });

  it('chooses symbols with the arrow keys and keeps the choice in the address', async () => {
    await open();
    find('symbol-AAPL')?.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown' }));
    await settled();
    expect(TestBed.inject(Router).url).toBe('/?symbol=IBM');
    expect(find('symbol-IBM')?.getAttribute('aria-current')).toBe('true');
    expect(document.querySelector('h1')?.textContent).toBe('IBM');
  });

  it('changes legend, card and table together when a champion is promoted', async () => {
    await open();
    const [next, again] = [{ ...decision, version: '9', family: 'lstm' }, { ...decision, alias: 'arima' }];
    api.models = () => of({ items: [next, again] });
    api.promotions = () => of({ items: [promotion({ version: '9', family: 'lstm' }), promotion()] });
    const champions = () => [text('model-version'), text('fan-legend').includes('ARIMA v4 champion'), text('forecast-table').includes('ARIMA champion v4')];
    expect(champions()).toEqual(['v4', true, true]);
    await vi.advanceTimersByTimeAsync(5000);
    await settled();
    expect(champions()).toEqual(['v9', false, false]);
    expect(text('fan-legend')).toContain('ARIMA v4 former champion');
    expect(text('champion-silent')).toMatch(/^LSTM v9 is the champion since .*; its first forecast comes with the next close.$/);
  });

  it('knows the champion while standings and promotions cannot be read', async () => {
    api.leaderboard = () => NEVER;
    api.promotions = () => NEVER;
    await open();
    expect(text('model-version')).toBe('v4');
    expect(text('leaderboard-none')).toBe('');
  });

  it('asks who is champion as soon as one speaks that it does not know', async () => {
    await open();
    api.models = () => of({ items: [{ ...decision, version: '9', family: 'lstm' }] });
    const socket = FakeSocket.opened.find(({ url }) => url.includes('/forecast'));
    socket?.accept();
    const spoken = forecast(3, { version: '9', family: 'lstm' });
    socket?.say({ type: 'forecast', topic: 'stock-forecasts', partition: 0, offset: 9, data: spoken });
    await vi.advanceTimersByTimeAsync(200);
    await settled();
    expect(text('model-version')).toBe('v9');
    expect(text('fan-legend')).toContain('LSTM v9 champion');
    expect(text('forecast-table')).toContain('LSTM champion v9');
  });

  it('says how old a forecast is once two sessions have closed since', async () => {
    const old = { ...forecast(1), steps: [1, 2, 3].flatMap((step) => forecast(step).steps.slice(0, 1).map((one) => ({ ...one, step }))) };
    api.forecasts = () => of(page([old], {}));
    await open();
    expect(text('forecast-made')).toBe('from the close of Sun 1 Jan 2012 , 2 sessions old');
    expect(text('fan-aged')).toBe('from the close of 1 Jan, 2 sessions old');
    api.forecasts = (symbol) => of(page([{ ...forecast(1), symbol }], {}));
    find('symbol-IBM')?.click();
    await settled();
    expect(text('fan-aged')).toBe('from the close of 1 Jan, 2 sessions old');
    expect(text('forecast-past')).toBe('The newest forecast, from the close of Sun 1 Jan 2012, is 2 sessions old: every session that it forecast has closed.');
  });

  it('says nothing of forecasts before it knows the bars that they are told beside', async () => {
    const bars = new Subject<ReturnType<FakeApi['bars']> extends Observable<infer Bars> ? Bars : never>();
    api.bars = () => bars;
    await open();
    expect(find('forecast-past')).toBeNull();
    expect(text('forecasts')).toContain('Reading forecasts …');
    bars.next(page([1, 2, 3].map((day) => barClosed(day)), position));
    bars.complete();
    await settled();
    expect(text('forecast-made')).toBe('from the close of Tue 3 Jan 2012');
  });

  it('tells of bars that cannot be read where forecasts would stand beside them', async () => {
    api.bars = () => throwError(() => new HttpErrorResponse({ status: 404, error: { detail: 'no such symbol' } }));
    await open();
    expect(find('forecast-past')).toBeNull();
    expect(text('forecasts')).toContain('Nothing found');
  });

  it('says of each forecast from another close than the newest when it was made, and measures it from there', async () => {
    const late = { ...forecast(2, { version: '1', family: 'naive', role: 'SHADOW' }) };
    api.forecasts = () => of(page([forecast(3), late], {}));
    await open();
    expect(text('forecast-made')).toBe('from the close of Tue 3 Jan 2012');
    expect(text('row-note')).toBe('made 2 Jan, 2 ahead');
    expect(text('forecast-table')).toContain('Random walk baseline v1 made 2 Jan, 2 ahead 100.00');
    expect(text('fan-aged')).toBe('');
  });

  it('asks for a prediction and shows it', async () => {
    await open();
    find('predict-button')?.click();
    await settled();
    expect(text('prediction-table')).toContain('Wed 4 Jan 7.00 2.00 – 8.00 1.00 – 9.00');
    expect(text('prediction-warning')).toBe('The width is largely the usual one.');
    expect(text('fan-legend')).toContain('requested');
  });

  it('says what to do while models are training', async () => {
    api.answer = () =>
      throwError(() => new HttpErrorResponse({ status: 503, error: { type: 'urn:foretick:problem:no-model', detail: 'no model is loaded yet' } }));
    await open();
    find('predict-button')?.click();
    await settled();
    expect(text('problem')).toContain('No model serves yet no model is loaded yet A first training takes some minutes');
  });

  it('says that history is being fetched while there is none', async () => {
    api.names = [];
    await open();
    expect(text('no-data')).toContain('No bars yet.');
    expect(text('connection-badge')).toBe('Connecting');
  });

  it('claims neither Live nor the date of the wall before the market clock is known', async () => {
    api.pipeline = () => NEVER;
    await open();
    FakeSocket.opened.find(({ url }) => url.includes('/live'))?.accept();
    FakeSocket.opened.find(({ url }) => url.includes('/live'))?.say({ type: 'heartbeat', at: 'now', source: 'live' });
    await vi.advanceTimersByTimeAsync(200);
    await settled();
    expect(text('connection-badge')).toBe('Connected market time unknown');
    expect(text('market-clock')).toBe('');
  });

  it('moves with the stream', async () => {
    await open();
    FakeSocket.opened.find(({ url }) => url.includes('/live'))?.accept();
    FakeSocket.opened
      .find(({ url }) => url.includes('/live'))
      ?.say({ type: 'bar', topic: 'stock-data', partition: 0, offset: 3, data: barClosed(4) });
    await vi.advanceTimersByTimeAsync(200);
    await settled();
    expect(text('last-close')).toBe('104.00');
    expect(text('connection-badge')).toBe('Live');
  });
});
