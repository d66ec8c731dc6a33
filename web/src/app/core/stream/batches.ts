import { audit, buffer, connect, defer, type OperatorFunction, tap, timer } from 'rxjs';

/**
 * Collect what comes into batches, one each `period` milliseconds at most: what comes after a silence goes on at once, with
 * all that comes in the same turn. Silent while nothing comes.
 */
export function batched<T>(period: number): OperatorFunction<T, readonly T[]> {
  return (source) =>
    defer(() => {
      let last = -Infinity;
      const due = () => timer(Math.max(0, last + period - performance.now()));
      return source.pipe(
        connect((shared) => shared.pipe(buffer(shared.pipe(audit(due), tap(() => (last = performance.now())))))),
      );
    });
}

/** Ten batches a second: as fast as an eye reads figures, and one redraw each for the chart. */
export const FRAME = 100;
