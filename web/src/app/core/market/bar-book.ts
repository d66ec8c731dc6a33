import { type Signal, signal, type WritableSignal } from '@angular/core';

import { type Bar, mergeBars } from './bars';

const NONE: readonly Bar[] = [];

/** The bars this page holds, by symbol, each as a signal. */
export class BarBook {
  private readonly held = new Map<string, WritableSignal<readonly Bar[]>>();

  /** `most`: bars kept per symbol when live ones push on; older ones paged in on purpose may exceed it. */
  constructor(readonly most = 2000) {}

  bars(symbol: string): Signal<readonly Bar[]> {
    return this.writable(symbol).asReadonly();
  }

  /** Merge bars from any source; returns whether something changed. */
  merge(symbol: string, incoming: readonly Bar[]): boolean {
    const own = this.writable(symbol);
    const before = own();
    own.set(mergeBars(before, incoming));
    return own() !== before;
  }

  /** Forget the oldest bars beyond `most`, but none of the newest `keep`. */
  trim(symbol: string, keep: number): boolean {
    const own = this.writable(symbol);
    const limit = Math.max(this.most, keep);
    if (own().length <= limit) return false;
    own.set(own().slice(-limit));
    return true;
  }

  replace(symbol: string, bars: readonly Bar[]): void {
    this.writable(symbol).set(mergeBars(NONE, bars));
  }

  clear(): void {
    for (const own of this.held.values()) own.set(NONE);
  }

  private writable(symbol: string): WritableSignal<readonly Bar[]> {
    let own = this.held.get(symbol);
    if (own === undefined) {
      own = signal(NONE);
      this.held.set(symbol, own);
    }
    return own;
  }
}
