import { bars } from '../../../testing/samples';
import { csvOf, historyOf, textOf } from './csv-histories';

describe('historyOf', () => {
  it('takes days and moments as what they are, in UTC', () => {
    const figures = { open: 1, high: 2, low: 1, close: 2, volume: 5 };
    const told = { bars: [{ closed_at: '2012-01-03', ...figures }, { closed_at: '2012-01-04T21:00:00Z', ...figures }], whole: true, faults: [] };
    const { bars, stamps, whole } = historyOf(told);
    expect(bars.map(({ time }) => time)).toEqual([Date.UTC(2012, 0, 3) / 1000, Date.UTC(2012, 0, 4, 21) / 1000]);
    expect(stamps).toEqual(['2012-01-03', '2012-01-04T21:00:00Z']);
    expect(bars[0]).toMatchObject({ ...figures, closedAt: '2012-01-03', revision: 0 });
    expect(whole).toBe(true);
  });
});

describe('csvOf', () => {
  it('writes a heading and a row for each bar', () => {
    const [bar] = bars(3, 5);
    const [heading, first, ...others] = csvOf(bars(3, 5)).split('\n');
    expect(heading).toBe('closed_at,open,high,low,close,volume');
    expect(first).toBe([bar?.closedAt, bar?.open, bar?.high, bar?.low, bar?.close, bar?.volume].join(','));
    expect(others.length).toBe(bars(3, 5).length - 1);
  });
});

describe('textOf', () => {
  it('reads what spreadsheets write', () => {
    expect(textOf(new Uint8Array([0xff, 0xfe, 0x61, 0, 0x3b, 0]).buffer)).toBe('a;');
    expect(textOf(new Uint8Array([0xfe, 0xff, 0, 0x61, 0, 0x3b]).buffer)).toBe('a;');
    expect(textOf(new TextEncoder().encode('date;Schlußkurs').buffer)).toBe('date;Schlußkurs');
  });
});
