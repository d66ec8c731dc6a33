import { Component, computed, inject } from '@angular/core';

import { BarFeed } from '../../core/market/bar-feed';
import { MarketClock } from '../../core/market/market-clock';
import { type Badge, badgeOf } from './badges';
import { MarketTime } from '../../core/market/market-time';

/** A dot and a word: connecting, live, market closed, reconnecting, stale, replaying, finished. */
@Component({
  selector: 'ft-connection-badge',
  template: `
    <div class="badge" data-testid="connection-badge" [attr.data-state]="badge().state">
      <span class="badge-dot" aria-hidden="true"></span>
      <span role="status">{{ badge().label }}</span>
      @if (badge().detail) {
        <span class="badge-detail">{{ badge().detail }}</span>
      }
    </div>
  `,
})
export class ConnectionBadge {
  private readonly feed = inject(BarFeed);
  private readonly clock = inject(MarketClock);
  private readonly time = inject(MarketTime);

  protected readonly badge = computed<Badge>(() =>
    badgeOf({
      link: this.feed.link(),
      replay: this.clock.replay(),
      hours: this.clock.hours(),
      newest: this.feed.newest(),
      times: this.time.times(),
      arrivedAt: this.feed.arrivedAt(),
      now: this.clock.tick(),
      date: this.time.date(),
    }),
  );
}
