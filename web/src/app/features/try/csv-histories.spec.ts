import { bars } from '../../../testing/samples';
import { csvOf, historyOf } from './csv-histories';

describe('historyOf', () => {
  it('finds columns by name, whatever their order, and puts the oldest first', () => {
    const { bars, whole, faults } = historyOf('Close,Date\n11,2012-01-04\n10,2012-01-03\n');
    expect(faults).toEqual([]);
    expect(bars.map(({ close }) => close)).toEqual([10, 11]);
    expect(bars[0]?.time).toBe(Date.UTC(2012, 0, 3) / 1000);
    expect(whole).toBe(false);
  });

  it('reads bars without a heading by their usual order', () => {
    const { bars, whole } = historyOf('2012-01-03;9;12;8;10;100\n2012-01-04;10;13;9;11;200');
    expect(bars[0]).toMatchObject({ open: 9, high: 12, low: 8, close: 10, volume: 100 });
    expect(whole).toBe(true);
  });

  it('reads again what it wrote', () => {
    const history = historyOf(csvOf(bars(3, 5)));
    expect(history.bars).toEqual(bars(3, 5));
    expect(history.whole).toBe(true);
  });

  it('names the rows that are wrong', () => {
    expect(historyOf('date,close\nyesterday,10\n2012-01-03,-4\n').faults).toEqual([
      'Row 2: “yesterday” is no date.',
      'Row 3: “-4” is no positive price.',
    ]);
    expect(historyOf('date,close\n2012-01-03,1\n2012-01-03,2').faults).toEqual(['2012-01-03 is there twice.']);
    expect(historyOf('date,close\n2012-01-03,1').faults).toEqual(['A forecast needs at least two rows.']);
    expect(historyOf('').faults[0]).toContain('nothing in it');
    expect(historyOf('when,what\n1,2').faults[0]).toContain('names no date column');
  });
});
