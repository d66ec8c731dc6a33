import { bars } from '../../../../testing/samples';
import { failed, LOADING, READY } from '../../../core/api/load-state';
import { problemOf } from '../../../core/api/problems';
import { comparisonSaid, type History, rangeSaid } from './histories';

const date = (time: number) => new Date(time * 1000).toISOString().slice(0, 10);
const history = (first: number, last: number, changes: Partial<History> = {}): History => ({
  symbol: 'IBM', bars: first > last ? [] : bars(first, last), load: READY, complete: true, ...changes,
});

describe('what a range says of its history', () => {
  const said = (held: History, range: '1M' | '1Y' | 'All', most = 6000) => rangeSaid(held, range, most, date);

  it('is nothing where the history reaches back so far, and that there is none before where it does not', () => {
    expect(said(history(1, 60), '1M')).toBeNull();
    expect(said(history(1, 60), '1Y')).toBe('no bars of IBM before 2012-01-01');
    expect(said(history(1, 60), 'All')).toBeNull();
    expect(said(history(1, 0), '1Y')).toBeNull();
  });

  it('tells older bars under way from those that are left out', () => {
    expect(said(history(1, 60, { complete: false }), '1Y')).toBe('reading older bars of IBM …');
    expect(said(history(1, 60, { complete: false }), 'All', 60)).toBe('the newest 60 bars, since 2012-01-01');
  });
});

describe('what a comparison says of the other history', () => {
  const said = (other: History) => comparisonSaid(other, bars(1, 60), '1M', date);

  it('is nothing where it fills the range', () => {
    expect(said(history(1, 60))).toBeNull();
  });

  it.each<[string, History, string]>([
    ['one under way', history(1, 0, { load: LOADING }), 'reading bars of IBM …'],
    ['one that failed', history(1, 0, { load: failed(problemOf(new Error('away'))) }), 'bars of IBM could not be read'],
    ['none', history(1, 0), 'no bars of IBM'],
    ['one that begins later', history(50, 60), 'no bars of IBM before 2012-02-19'],
    ['one whose older bars are under way', history(50, 60, { complete: false }), 'reading older bars of IBM …'],
    ['one that has ended', history(1, 10), 'no bars of IBM after 2012-01-10'],
  ])('names %s', (_situation, other, words) => {
    expect(said(other)).toBe(words);
  });
});
