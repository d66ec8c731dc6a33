import { Subject } from 'rxjs';

import { batched } from './batches';

const PERIOD = 100;

describe('batched', () => {
  let source: Subject<number>;
  let batches: (readonly number[])[];

  beforeEach(() => {
    vi.useFakeTimers();
    source = new Subject();
    batches = [];
    source.pipe(batched(PERIOD)).subscribe((batch) => batches.push(batch));
  });

  afterEach(() => {
    source.complete();
    vi.useRealTimers();
  });

  it('merges a stream into ten batches a second and loses nothing', () => {
    for (let at = 0; at < 100; at++) {
      source.next(at);
      vi.advanceTimersByTime(10);
    }
    vi.advanceTimersByTime(PERIOD);
    expect(batches.flat()).toEqual(Array.from({ length: 100 }, (_, at) => at));
    expect(batches.length).toBeGreaterThanOrEqual(9);
    expect(batches.length).toBeLessThanOrEqual(11);
  });

  it('lets what comes after a silence go on at once, a frame of many as one batch', () => {
    vi.advanceTimersByTime(PERIOD * 10);
    for (const message of [1, 2, 3]) source.next(message);
    vi.advanceTimersByTime(1);
    expect(batches).toEqual([[1, 2, 3]]);
    source.next(4);
    vi.advanceTimersByTime(PERIOD / 2);
    expect(batches).toHaveLength(1);
    vi.advanceTimersByTime(PERIOD / 2);
    expect(batches).toEqual([[1, 2, 3], [4]]);
  });
});
