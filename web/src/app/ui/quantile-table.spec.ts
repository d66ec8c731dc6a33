import { TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';

import { forecast } from '../../testing/samples';
import { wordsIn } from '../../testing/words';
import { fanOf } from '../core/forecasts/forecasts';
import { type QuantileRow, QuantileTable } from './quantile-table';

const numbers = { median: 100, low80: 95, high80: 105, low95: 90, high95: 110 };

describe('QuantileTable', () => {
  function shown(rows: readonly QuantileRow[], inputs: Readonly<Record<string, unknown>> = {}): HTMLTableElement {
    TestBed.configureTestingModule({ providers: [provideRouter([])] });
    const fixture = TestBed.createComponent(QuantileTable);
    for (const [name, value] of Object.entries({ rows, about: 'Forecasts', testid: 'quantiles', ...inputs })) fixture.componentRef.setInput(name, value);
    fixture.detectChanges();
    return (fixture.nativeElement as HTMLElement).querySelector('table') ?? document.createElement('table');
  }

  const words = (table: HTMLTableElement) => [...table.rows].map((row) => [...row.cells].map(wordsIn));

  it('names a model, links its lineage and adds the columns it is given', () => {
    const row = { key: '4', fan: fanOf(forecast(3)), label: 'champion v4', note: 'made 2 Jan', more: ['+1.00 %'], ...numbers };
    const table = shown([row], { columns: [{ name: 'vs close', about: 'Median against the close' }] });
    expect(words(table)).toEqual([
      ['Model', 'Median', '95 % interval', 'vs close'],
      ['ARIMA champion v4 made 2 Jan', '100.00', '90.00 – 110.00', '+1.00 %'],
    ]);
    expect(table.querySelector('a')?.getAttribute('href')).toBe('/lineage/4-3');
    expect(table.querySelector('abbr')?.title).toBe('Median against the close');
  });

  it('names sessions and shows the inner interval where that is asked for', () => {
    const table = shown([{ key: 1, fan: null, label: 'Wed 4 Jan', note: null, more: [], ...numbers }], { first: 'Session', eighty: true });
    expect(words(table)).toEqual([
      ['Session', 'Median', '80 % interval', '95 % interval'],
      ['Wed 4 Jan', '100.00', '95.00 – 105.00', '90.00 – 110.00'],
    ]);
    expect(table.querySelector('a')).toBeNull();
  });
});
