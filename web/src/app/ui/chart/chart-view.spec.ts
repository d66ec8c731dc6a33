import { giveCanvas } from '../../../testing/canvas';
import { bars, forecast, timeOf } from '../../../testing/samples';
import { fanOf } from '../../core/forecasts/forecasts';
import { ExchangeTimes } from '../../core/market/exchange-times';
import { ChartView } from './chart-view';
import { drawnFan } from './fan-points';
import { PALETTES } from './palettes';
import type { LogicalWindow } from './ranges';

describe('ChartView', () => {
  let view: ChartView;
  let views: LogicalWindow[];
  let hovered: (number | null)[];
  const last = () => views.at(-1) ?? { from: NaN, to: NaN };
  const frame = () => new Promise((resolve) => setTimeout(resolve, 50));

  beforeEach(async () => {
    giveCanvas();
    const host = document.createElement('div');
    vi.spyOn(host, 'getBoundingClientRect').mockReturnValue(new DOMRect(0, 0, 800, 400));
    document.body.append(host);
    [views, hovered] = [[], []];
    view = new ChartView(host, PALETTES.dark, new ExchangeTimes('America/New_York'), {
      hovered: (time) => hovered.push(time),
      viewed: (window) => views.push(window),
      picked: () => undefined,
    });
    view.draw(bars(101, 300), []);
    view.show('3M');
    await frame();
  });

  afterEach(() => {
    view.destroy();
    document.body.replaceChildren();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  it('shows a range that ends at the newest bar', () => {
    expect(last().to).toBeGreaterThan(199);
    expect(last().to - last().from).toBeGreaterThan(85);
    expect(last().to - last().from).toBeLessThan(100);
  });

  it('keeps what is in view where older bars come in', async () => {
    view.pan(-1);
    await frame();
    const before = last();
    view.draw(bars(1, 300), []);
    view.pan(0.1); // a view that only keeps its bars is not told of
    await frame();
    expect(last().from - before.from).toBeCloseTo(100 + 0.1 * (before.to - before.from));
  });

  it('moves on with the newest bar and with the sessions of a fan, while they are in view', async () => {
    const before = last();
    view.draw(bars(101, 301), [drawnFan(fanOf(forecast(301)), bars(101, 301))]);
    await frame();
    expect(last().to - before.to).toBeCloseTo(3);
  });

  it('pans, zooms around its right end, and brings a time into view', async () => {
    const before = last();
    view.zoom(0.5);
    await frame();
    expect(last().to).toBeCloseTo(before.to);
    expect(last().to - last().from).toBeCloseTo((before.to - before.from) / 2);
    view.reveal(timeOf(120));
    await frame();
    expect(last().from).toBeLessThan(19);
    expect(last().to).toBeGreaterThan(19);
  });

  it('steps the crosshair from bar to bar', () => {
    view.step(-1);
    view.step(-1);
    expect(hovered.filter((time) => time !== null).slice(-1)).toEqual([timeOf(299)]);
  });

  it('draws everything in every style, scale and theme', () => {
    view.drawAs('line', 'percent');
    view.compare(bars(150, 300), 'IBM');
    view.mark([{ time: timeOf(200), kind: 'split', text: '2:1' }]);
    view.dress(PALETTES.light, new ExchangeTimes('Europe/London'));
    view.drawAs('candles', 'log');
    expect(() => { view.show('All'); }).not.toThrow();
  });
});
