import { computed, inject, Injectable, signal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { timer } from 'rxjs';

import { PipelineFeed } from '../pipeline/pipeline-feed';

/** The market's clock: the replay exchange's simulated one, or the wall's. */
@Injectable({ providedIn: 'root' })
export class MarketClock {
  private readonly pipeline = inject(PipelineFeed);
  private readonly wall = signal(Date.now());

  /** The simulated clock as last heard; null for a real market, and while nothing is known of it. */
  readonly replay = computed(() => this.pipeline.state()?.clock ?? null);

  /** Hours of a real exchange; null in a replay, and while they are not known. */
  readonly hours = computed(() => this.pipeline.state()?.market ?? null);

  /** Whether the market's time is known; it is not before the first answer, nor while neither clock nor hours are heard of. */
  readonly known = computed(() => this.replay() !== null || this.hours() !== null);

  /** Milliseconds since the epoch, moving once a second: for what ages on the screen. */
  readonly tick = this.wall.asReadonly();

  constructor() {
    timer(1000, 1000)
      .pipe(takeUntilDestroyed())
      .subscribe(() => {
        this.wall.set(Date.now());
      });
  }
}
