import { computed, Injectable, signal } from '@angular/core';
import { fromEvent, merge, Subject } from 'rxjs';

import type { Problem } from './problems';

/** A read that does not succeed. */
export interface Trouble {
  /** What was asked for, without its query. */
  readonly path: string;
  readonly problem: Problem;
  /** When it is asked for again, milliseconds since the epoch; null if only a person can mend it. */
  readonly againAt: number | null;
}

/** The gravest first: who may not read, a gateway that is away as a whole, then the rest. */
function gravity({ problem }: Trouble): number {
  if (problem.kind === 'unknown') return 0;
  return problem.unreachable ? 1 : 2;
}

/** All reads that do not succeed now: told once for the whole page, not by each panel. */
@Injectable({ providedIn: 'root' })
export class Troubles {
  private readonly held = signal<readonly Trouble[]>([]);
  private readonly wished = new Subject<void>();

  /** The one to tell; null while all is well. */
  readonly gravest = computed(() => this.held().toSorted((a, b) => gravity(a) - gravity(b))[0] ?? null);
  /** When something is asked for again next, milliseconds since the epoch. */
  readonly againAt = computed(() => {
    const times = this.held().flatMap(({ againAt }) => (againAt === null ? [] : [againAt]));
    return times.length === 0 ? null : Math.min(...times);
  });
  /** Says that waiting is over: a person wants to try now, the network is back, or the gateway has answered something. */
  readonly now = merge(this.wished, fromEvent(window, 'online'));

  of(path: string): Trouble | null {
    return this.held().find((trouble) => trouble.path === path) ?? null;
  }

  note(trouble: Trouble): void {
    this.held.update((held) => [...held.filter(({ path }) => path !== trouble.path), trouble]);
  }

  /** An answer came. Where it had been a trouble, what else waits is worth asking for, too. */
  answered(path: string): void {
    if (this.forget(path)) this.tryNow();
  }

  /** Nobody waits for this read any more. */
  left(path: string): void {
    if (this.of(path)?.againAt != null) this.forget(path);
  }

  tryNow(): void {
    this.wished.next();
  }

  private forget(path: string): boolean {
    if (this.of(path) === null) return false;
    this.held.update((held) => held.filter((trouble) => trouble.path !== path));
    return true;
  }
}
