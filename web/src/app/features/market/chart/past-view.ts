import { computed, effect, inject, Injectable, signal, untracked } from '@angular/core';
import { switchMap, timer } from 'rxjs';

import { BarFeed } from '../../../core/market/bar-feed';
import type { Fan } from '../../../core/forecasts/forecasts';
import { PastReads } from '../../../core/past/past-reads';
import { type Problem, problemOf } from '../../../core/api/problems';
import { Selection } from '../../../core/state/selection';

/** Sessions that the slider reaches back: about a year. */
const FURTHEST = 250;

interface Past {
  readonly originAt: string;
  readonly fans: readonly Fan[];
}

/** Walks back through past forecasts: which close is looked from, and what was forecast there. */
@Injectable({ providedIn: 'root' })
export class PastView {
  private readonly feed = inject(BarFeed);
  private readonly selection = inject(Selection);
  private readonly past = inject(PastReads);

  /** The close looked from, or null for the newest: it stays while bars come in. */
  private readonly from = signal<string | null>(null);
  private readonly found = signal<Past | null>(null);
  private readonly failure = signal<Problem | null>(null);

  private readonly bars = computed(() => this.feed.bars(this.selection.symbol() ?? '')());

  readonly active = computed(() => this.from() !== null);
  readonly furthest = computed(() => Math.max(0, Math.min(FURTHEST, this.bars().length - 1)));
  /** Sessions back from the newest bar. */
  readonly back = computed(() => {
    const from = this.from();
    if (from === null) return 0;
    const at = this.bars().findLastIndex(({ closedAt }) => closedAt === from);
    return at < 0 ? this.furthest() : this.bars().length - 1 - at;
  });
  readonly originAt = this.from.asReadonly();
  readonly problem = this.failure.asReadonly();
  /** What was forecast at that close; null while it is being read. */
  readonly fans = computed<readonly Fan[] | null>(() => {
    const found = this.found();
    return found !== null && found.originAt === this.from() ? found.fans : null;
  });

  constructor() {
    effect(() => {
      this.selection.symbol();
      this.from.set(null);
    });
    effect((onCleanup) => {
      const [symbol, originAt] = [untracked(this.selection.symbol), this.from()];
      this.failure.set(null);
      if (symbol === null || originAt === null) return;
      // A slider passes many places on its way: only where it rests is asked for.
      const asked = timer(80)
        .pipe(switchMap(() => this.past.fansAt(symbol, originAt)))
        .subscribe({
          next: (fans) => {
            this.found.set({ originAt, fans });
            this.failure.set(null);
          },
          error: (error: unknown) => {
            this.failure.set(problemOf(error));
          },
        });
      onCleanup(() => {
        asked.unsubscribe();
      });
    });
  }

  /** Look from `back` sessions before the newest bar; from 0, at what is forecast now. */
  to(back: number): void {
    const reach = Math.max(0, Math.min(this.furthest(), Math.round(back)));
    this.from.set(reach === 0 ? null : (this.bars().at(-1 - reach)?.closedAt ?? null));
  }
}
