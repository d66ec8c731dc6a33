import { bars } from '../../../testing/samples';
import { BarBook } from './bar-book';

describe('BarBook', () => {
  it('holds bars of each symbol apart', () => {
    const book = new BarBook();
    book.merge('AAPL', bars(1, 2));
    expect(book.bars('AAPL')()).toEqual(bars(1, 2));
    expect(book.bars('IBM')()).toEqual([]);
  });

  it('tells whether a merge changed something', () => {
    const book = new BarBook();
    expect(book.merge('AAPL', bars(1, 2))).toBe(true);
    expect(book.merge('AAPL', bars(1, 2))).toBe(false);
  });

  it('trims the oldest beyond its measure, but not what is in view', () => {
    const book = new BarBook(10);
    book.merge('AAPL', bars(1, 25));
    expect(book.trim('AAPL', 20)).toBe(true);
    expect(book.bars('AAPL')()).toEqual(bars(6, 25));
    expect(book.trim('AAPL', 3)).toBe(true);
    expect(book.bars('AAPL')()).toEqual(bars(16, 25));
    expect(book.trim('AAPL', 3)).toBe(false);
  });
});
