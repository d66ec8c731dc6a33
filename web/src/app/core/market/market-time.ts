import { computed, inject, Injectable } from '@angular/core';

import { BarFeed } from './bar-feed';
import { secondsOf } from './bars';
import { ExchangeTimes, zoneOf } from './exchange-times';
import { MarketClock } from './market-clock';

/** The market's time now, in the exchange's zone. */
@Injectable({ providedIn: 'root' })
export class MarketTime {
  private readonly feed = inject(BarFeed);
  private readonly clock = inject(MarketClock);

  private readonly zone = computed(() => zoneOf(this.feed.symbols()[0]?.exchange));

  readonly times = computed(() => new ExchangeTimes(this.zone()));

  /**
   * Seconds since the epoch; null while it is not known which market this is: a page of a replay must not tell the wall's
   * date. A replayed market is where its clock or its newest bar is, whichever is later.
   */
  readonly now = computed(() => {
    if (!this.clock.known()) return null;
    const replay = this.clock.replay();
    if (replay === null) return Math.floor(this.clock.tick() / 1000);
    return Math.max(secondsOf(replay.now), this.feed.newest() ?? 0);
  });

  readonly date = computed(() => {
    const now = this.now();
    return now === null ? '' : this.times().date(now);
  });
}
