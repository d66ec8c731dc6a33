import { forecast, timeOf } from '../../../testing/samples';
import { currentFans, fanOf, fanOfPrediction } from './forecasts';

const arima = { version: '4', family: 'arima', role: 'CHAMPION' } as const;
const naive = { version: '1', family: 'naive', role: 'SHADOW' } as const;
const lstm = { version: '2', family: 'lstm', role: 'SHADOW' } as const;

describe('fanOf', () => {
  it('reads bands and median by level', () => {
    const fan = fanOf(forecast(3));
    expect(fan).toMatchObject({ family: 'arima', version: '4', role: 'CHAMPION', origin: timeOf(3) });
    expect(fan.steps[0]).toMatchObject({ step: 1, time: timeOf(4), low95: 90.5, low80: 92, median: 100, high80: 108, high95: 109.5 });
  });

  it('leaves out steps without the outer quantiles', () => {
    const whole = forecast(3);
    const [first, second] = whole.steps;
    if (first === undefined || second === undefined) throw new Error('the sample has two steps');
    const fan = fanOf({ ...whole, steps: [{ ...first, quantiles: first.quantiles.slice(1) }, second] });
    expect(fan.steps.map(({ step }) => step)).toEqual([2]);
  });

  it('reads the answer of a request the same way', () => {
    const fan = fanOfPrediction({
      model: { name: 'stock-forecaster', version: '4', family: 'arima' },
      origin: '2012-01-03T21:00:00Z',
      steps: [{ step: 1, target_at: '2012-01-04T21:00:00Z', mean: 7, quantiles: { '0.025': 1, '0.1': 2, '0.9': 8, '0.975': 9 } }],
      warnings: [],
      input_sha256: 'ab',
    });
    expect(fan.role).toBe('REQUESTED');
    expect(fan.steps).toMatchObject([{ low95: 1, low80: 2, median: 7, high80: 8, high95: 9 }]);
  });
});

describe('currentFans', () => {
  it('takes the newest of each version, champion first, then the random walk', () => {
    const fans = currentFans([forecast(3, lstm), forecast(3, naive), forecast(3, arima), forecast(4, arima), forecast(4, naive)]);
    expect(fans.map(({ family, origin }) => [family, origin])).toEqual([
      ['arima', timeOf(4)],
      ['naive', timeOf(4)],
      ['lstm', timeOf(3)],
    ]);
  });

  it('lets go of versions that stopped forecasting', () => {
    const fans = currentFans([forecast(3, lstm), forecast(4, arima), forecast(5, arima), forecast(4, naive)]);
    expect(fans.map(({ family }) => family)).toEqual(['arima', 'naive']);
  });

  it('shows of a family trained again on the same bar the newer version, and a former one only as champion', () => {
    const [again, later] = [{ ...lstm, version: '12' } as const, { ...arima, version: '14', role: 'SHADOW' } as const];
    const fans = currentFans([forecast(3, lstm), forecast(3, again), forecast(3, arima), forecast(3, later)]);
    expect(fans.map(({ version, role }) => [version, role])).toEqual([
      ['4', 'CHAMPION'],
      ['14', 'SHADOW'],
      ['12', 'SHADOW'],
    ]);
  });

  it('has one champion after a promotion: the one of the newest origin', () => {
    const promoted = { ...lstm, role: 'CHAMPION' } as const;
    const fans = currentFans([forecast(3, arima), forecast(4, promoted)]);
    expect(fans.map(({ family, role }) => [family, role])).toEqual([
      ['lstm', 'CHAMPION'],
      ['arima', 'SHADOW'],
    ]);
  });
});
