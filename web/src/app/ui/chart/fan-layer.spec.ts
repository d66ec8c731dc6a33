import type { IChartApi } from 'lightweight-charts';

import { bars, forecast, timeOf } from '../../../testing/samples';
import { fanOf } from '../../core/forecasts/forecasts';
import { FanLayer } from './fan-layer';
import { drawnFan } from './fan-points';
import { PALETTES } from './palettes';

describe('FanLayer', () => {
  const drawn = new Map<object, { time: number; hidden?: boolean }[]>();
  const options = new Map<object, Record<string, unknown>>();
  let layer: FanLayer;

  beforeEach(() => {
    drawn.clear();
    const chart = {
      addCustomSeries: (_: unknown, given: Record<string, unknown>) => {
        const slot = {
          setData: (data: { time: number }[]) => drawn.set(slot, data),
          applyOptions: (more: Record<string, unknown>) => Object.assign(options.get(slot) ?? {}, more),
          coordinateToPrice: (y: number) => 200 - y,
        };
        drawn.set(slot, []);
        options.set(slot, { ...given });
        return slot;
      },
      removeSeries: (slot: object) => drawn.delete(slot),
    };
    layer = new FanLayer(chart as unknown as IChartApi, PALETTES.dark);
  });

  const champion = drawnFan(fanOf(forecast(3)), bars(1, 3));
  const naive = drawnFan(fanOf(forecast(3, { version: '1', family: 'naive', role: 'SHADOW' })), bars(1, 3));

  it('draws each fan as a series, from the close that it opens at, and no other', () => {
    layer.draw([champion, naive], []);
    expect(layer.size).toBe(2);
    expect([...drawn.values()][0]?.map(({ time }) => time)).toEqual([3, 4, 5].map(timeOf));
    layer.draw([champion], []);
    expect(layer.size).toBe(1);
    expect(drawn.size).toBe(1);
  });

  it('has bars stand in, unseen, where a scale is relative', () => {
    layer.draw([champion], bars(1, 3));
    expect([...drawn.values()][0]?.map(({ hidden }) => hidden ?? false)).toEqual([true, true, false, false, false]);
  });

  it('fades a fan once it is stale', () => {
    layer.draw([champion], []);
    layer.draw([{ ...champion, stale: true }], []);
    expect([...options.values()].at(-1)?.['fade']).toBe(0.4);
  });

  it('finds the issued fan at a place by its 95 % band', () => {
    layer.draw([champion], []);
    expect(layer.at(timeOf(4), 100)).toBe(champion);
    expect(layer.at(timeOf(4), 0)).toBeUndefined();
    expect(layer.at(timeOf(3), 97)).toBeUndefined();
  });
});
