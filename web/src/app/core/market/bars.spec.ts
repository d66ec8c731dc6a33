import { bar, bars, timeOf } from '../../../testing/samples';
import { jumps, lastChange, mergeBars } from './bars';

describe('mergeBars', () => {
  it('appends newer bars', () => {
    expect(mergeBars(bars(1, 3), bars(4, 5))).toEqual(bars(1, 5));
  });

  it('puts older bars before', () => {
    expect(mergeBars(bars(4, 5), bars(1, 3))).toEqual(bars(1, 5));
  });

  it('keeps the highest revision, whatever the order', () => {
    const corrected = bar(2, { revision: 1, close: 7 });
    expect(mergeBars(bars(1, 3), [corrected])[1]).toBe(corrected);
    expect(mergeBars([bar(1), corrected, bar(3)], bars(1, 3))[1]).toBe(corrected);
    expect(mergeBars([], [corrected, bar(2)])).toEqual([corrected]);
  });

  it('answers the same list when nothing is new', () => {
    const held = bars(1, 3);
    expect(mergeBars(held, bars(2, 3))).toBe(held);
    expect(mergeBars(held, [])).toBe(held);
  });

  it('ends the same for every order and any repetition', () => {
    const all = [...bars(1, 9), bar(4, { revision: 2 }), bar(9, { revision: 1 })];
    const forwards = all.reduce<ReturnType<typeof mergeBars>>((held, one) => mergeBars(held, [one]), []);
    const backwards = all.reduceRight<ReturnType<typeof mergeBars>>((held, one) => mergeBars(held, [one, one]), []);
    expect(forwards).toEqual(backwards);
    expect(mergeBars([], all)).toEqual(forwards);
    expect(forwards.map(({ time }) => time)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map(timeOf));
  });
});

describe('lastChange', () => {
  it('is the fraction between the last two closes, null without them', () => {
    expect(lastChange([bar(1, { close: 100 }), bar(2, { close: 110 })])).toBeCloseTo(0.1);
    expect(lastChange(bars(1, 1))).toBeNull();
  });
});

describe('jumps', () => {
  it('suspects a split at half the price, not at a bad day', () => {
    expect(jumps(bar(1, { close: 100 }), bar(2, { close: 50 }))).toBe(true);
    expect(jumps(bar(1, { close: 100 }), bar(2, { close: 80 }))).toBe(false);
    expect(jumps(undefined, bar(2))).toBe(false);
  });
});
