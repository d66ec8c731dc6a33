import { promotion } from '../../../testing/models';
import { bars, timeOf } from '../../../testing/samples';
import type { CorporateAction } from '../../core/api/api-types';
import { marksOf } from './marks';

const base = { symbol: 'AAPL', source: 'yahoo', revision: 0, recorded_at: '2012-01-01T00:00:00Z', ratio: null, amount: null, currency: null } as const;
const split: CorporateAction = { ...base, kind: 'SPLIT', ex_date: '2012-01-05', ratio: 2 };
const dividend: CorporateAction = { ...base, kind: 'DIVIDEND', ex_date: '2012-01-04', amount: 0.25 };

describe('marksOf', () => {
  it('marks splits and dividends at the first bar of their ex-date', () => {
    expect(marksOf(bars(3, 6), [split, dividend], [])).toEqual([
      { time: timeOf(4), kind: 'dividend', text: 'D 0.25' },
      { time: timeOf(5), kind: 'split', text: '2:1' },
    ]);
  });

  it('leaves out what happened before the oldest bar held', () => {
    expect(marksOf(bars(6, 8), [split], [promotion({ decided_at: '2012-01-02T21:00:00Z' })])).toEqual([]);
  });

  it('marks where another model became champion', () => {
    const moves = [
      promotion({ decided_at: '2012-01-05T12:00:00Z', outcome: 'KEPT' }),
      promotion({ decided_at: '2012-01-04T12:00:00Z' }),
      promotion({ alias: 'arima' }),
    ];
    expect(marksOf(bars(3, 6), [], moves)).toEqual([{ time: timeOf(4), kind: 'promotion', text: 'Transformer v4' }]);
  });
});
