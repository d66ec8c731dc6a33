import { Component, computed, inject } from '@angular/core';

import { MarketClock as Clock } from '../../core/market-clock';
import { MarketTime } from './market-time';

/** Date and time at the exchange, simulated or real. */
@Component({
  selector: 'ft-market-clock',
  template: `
    <span class="clock" data-testid="market-clock" [title]="title()">
      <span class="clock-day">{{ day() }}</span>
      <span class="clock-time">{{ time() }}</span>
    </span>
  `,
})
export class MarketClock {
  private readonly market = inject(MarketTime);
  private readonly clock = inject(Clock);

  protected readonly day = computed(() => this.market.times().day(this.market.now()));
  protected readonly time = computed(() => this.market.times().clock(this.market.now()));
  protected readonly title = computed(() => {
    const replay = this.clock.replay();
    return replay === null
      ? `Exchange time, ${this.market.times().zone}`
      : `Simulated exchange time: one session every ${replay.seconds_per_session} s, ${this.market.times().zone}`;
  });
}
