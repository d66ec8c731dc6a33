import { TestBed } from '@angular/core/testing';
import { firstValueFrom, of } from 'rxjs';

import { promotion } from '../../../testing/models';
import { barClosed, closedAt, forecast, page } from '../../../testing/samples';
import { Api, type BarsQuery, type ForecastsQuery } from '../api/api';
import { PastReads } from './past-reads';

const split = { symbol: 'AAPL', kind: 'SPLIT', ex_date: '2012-01-06', ratio: 2 };

describe('PastReads', () => {
  let asked: (BarsQuery | ForecastsQuery)[];
  let reads: PastReads;

  beforeEach(() => {
    asked = [];
    const api = {
      bars: (_: string, query: BarsQuery) => {
        asked.push(query);
        const days = query.as_of === undefined ? [4, 5, 6] : [1, 2, 3];
        return of(page(days.map((day) => barClosed(day)), {}));
      },
      forecasts: (_: string, query: ForecastsQuery) => {
        asked.push(query);
        return of(page(query.origin === closedAt(9) ? [] : [forecast(3), forecast(3, { version: '1', family: 'naive', role: 'SHADOW' }), forecast(2)], {}));
      },
      actions: (_: string, query: { as_of?: string } = {}) => of({ items: query.as_of === undefined ? [split] : [] }),
      promotions: () => of({ items: [promotion({ version: '9', decided_at: '2012-01-08T00:00:00Z' }), promotion()] }),
    };
    TestBed.configureTestingModule({ providers: [{ provide: Api, useValue: api }] });
    reads = TestBed.inject(PastReads);
  });

  it('gives the fans of one close, and remembers them', async () => {
    const fans = await firstValueFrom(reads.fansAt('AAPL', closedAt(3)));
    expect(fans.map(({ family, role }) => [family, role])).toEqual([['arima', 'CHAMPION'], ['naive', 'SHADOW']]);
    await firstValueFrom(reads.fansAt('AAPL', closedAt(3)));
    expect(asked).toHaveLength(1);
  });

  it('asks again where nothing was forecast: it may come', async () => {
    expect(await firstValueFrom(reads.fansAt('AAPL', closedAt(9)))).toEqual([]);
    await firstValueFrom(reads.fansAt('AAPL', closedAt(9)));
    expect(asked).toHaveLength(2);
  });

  it('gives what was known at the end of a day, and the closes that came in the share terms of then', async () => {
    const found = await firstValueFrom(reads.asOf('AAPL', '2012-01-03'));
    expect(asked[0]).toMatchObject({ as_of: '2012-01-03T23:59:59Z', adjust: 'splits' });
    expect(found.bars.map(({ close }) => close)).toEqual([101, 102, 103]);
    expect(found.champion?.version).toBe('4');
    expect(found.firstPromotion).toBe('2012-01-03T21:00:00Z');
    expect(found.actions).toEqual([]);
    expect(found.since.map(({ close }) => close)).toEqual([104, 105, 212]);
  });
});
