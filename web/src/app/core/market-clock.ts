import { computed, inject, Injectable, signal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { timer } from 'rxjs';

import { PipelineFeed } from './pipeline-feed';

/** The market's clock: the replay exchange's simulated one, or the wall's. */
@Injectable({ providedIn: 'root' })
export class MarketClock {
  private readonly pipeline = inject(PipelineFeed);
  private readonly wall = signal(Date.now());

  /** The simulated clock as last heard; null while the market is real or unheard of. */
  readonly replay = computed(() => this.pipeline.state()?.clock ?? null);

  /** Hours of a real exchange; null in a replay, and while they are not known. */
  readonly hours = computed(() => this.pipeline.state()?.market ?? null);

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
