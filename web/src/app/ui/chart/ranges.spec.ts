import { bar, bars } from '../../../testing/samples';
import { changeOf, rangeStart, windowOf } from './ranges';

describe('rangeStart', () => {
  it('counts back from the last bar by the calendar', () => {
    const held = bars(1, 100);
    expect(held[rangeStart(held, '1M')]?.closedAt).toBe('2012-03-10T21:00:00Z');
    expect(held.at(-1)?.closedAt).toBe('2012-04-09T21:00:00Z');
    expect(rangeStart(held, '1Y')).toBe(0);
    expect(rangeStart(held, 'All')).toBe(0);
    expect(rangeStart([], '3M')).toBe(0);
  });
});

describe('windowOf', () => {
  it('leaves room for the future', () => {
    expect(windowOf(bars(1, 100), 'All', 5)).toEqual({ from: -0.5, to: 105.5 });
  });

  it('does not blow a few bars up', () => {
    const { from, to } = windowOf(bars(1, 2), '1M', 5);
    expect(to - from).toBe(30);
  });
});

describe('changeOf', () => {
  const held = bars(1, 20);

  it('updates the last bar and appends new ones one by one', () => {
    const corrected = bar(20, { revision: 1 });
    expect(changeOf(held, [...held, bar(21)])).toEqual({ whole: false, updates: [bar(21)], prepended: 0 });
    expect(changeOf(held, [...held.slice(0, -1), corrected])).toEqual({ whole: false, updates: [corrected], prepended: 0 });
    expect(changeOf(held, held)).toEqual({ whole: false, updates: [], prepended: 0 });
  });

  it('draws again when the middle changes or many come', () => {
    const corrected = bar(5, { revision: 1 });
    expect(changeOf(held, [...held.slice(0, 4), corrected, ...held.slice(5)])).toMatchObject({ whole: true, prepended: 0 });
    expect(changeOf(held, [...held, ...bars(21, 40)]).whole).toBe(true);
    expect(changeOf([], held)).toMatchObject({ whole: true, prepended: 0 });
  });

  it('draws again when a bar comes late, one place before the end, or the last one goes', () => {
    const holed = [...bars(1, 18), bar(20)];
    expect(changeOf(holed, bars(1, 20))).toEqual({ whole: true, updates: [], prepended: 0 });
    expect(changeOf(holed, bars(1, 21)).whole).toBe(true);
    expect(changeOf(holed, bars(1, 18)).whole).toBe(true);
    expect(changeOf(holed, [...bars(1, 18), bar(21)]).whole).toBe(true);
  });

  it('says how many came before, or went', () => {
    expect(changeOf(bars(11, 20), bars(1, 20)).prepended).toBe(10);
    expect(changeOf(bars(1, 20), bars(11, 20)).prepended).toBe(-10);
  });
});
