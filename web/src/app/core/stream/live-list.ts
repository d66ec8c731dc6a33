import { defer, ignoreElements, map, merge, type Observable, retry, Subject, switchMap, tap, timer } from 'rxjs';

import type { Offsets } from '../api/api-types';
import { type Problem, problemOf } from '../api/problems';
import { batched, FRAME } from './batches';
import type { Stream } from './market-stream';
import type { TopicRemade } from './resuming-socket';
import type { StreamMessage } from './stream-messages';

export type Batch = readonly (StreamMessage | TopicRemade)[];

/** Milliseconds between two tries to read. */
export const RETRY = 3000;

/** What a list is read from, and who keeps it. */
export interface ListSource<Snapshot> {
  /** Read the list; an error is told, and it is read again. */
  readonly read: () => Observable<Snapshot>;
  readonly failed: (problem: Problem) => void;
  /** Take a snapshot in: the first one, or one beside what the stream has brought meanwhile. */
  readonly took: (snapshot: Snapshot) => void;
  /** Where a snapshot ends, of each request that it took. */
  readonly positions: (snapshot: Snapshot) => readonly Offsets[];
  readonly open: (positions: readonly Offsets[]) => Stream;
}

/**
 * Keep a list live: a snapshot, then the stream from where it ends, without a seam. Where the stream tells of a gap, or of a
 * topic that was made again, the snapshot is read again until it reaches beyond the hole. Emits what the stream brings.
 */
export function liveList<Snapshot>({ read, failed, took, positions, open }: ListSource<Snapshot>): Observable<Batch> {
  const snapshots = defer(read).pipe(
    retry({
      delay: (error) => {
        failed(problemOf(error));
        return timer(RETRY);
      },
    }),
  );
  return snapshots.pipe(
    switchMap((first) => {
      took(first);
      const stream = open(positions(first));
      const holes = new Subject<void>();
      const batches = stream.socket.messages.pipe(
        batched(FRAME),
        tap((batch) => {
          if (batch.some(({ type }) => type === 'gap' || type === 'remade')) holes.next();
        }),
      );
      const repairs = holes.pipe(
        switchMap(() =>
          snapshots.pipe(
            map((snapshot) => {
              took(snapshot);
              if (!positions(snapshot).every((each) => stream.positions.covers(each))) throw new Error('the read model is behind');
            }),
            retry({ delay: RETRY }),
          ),
        ),
        ignoreElements(),
      );
      return merge(batches, repairs);
    }),
  );
}
