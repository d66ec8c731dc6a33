import { Component, computed, inject } from '@angular/core';

import { MarketClock as Clock } from '../../core/market/market-clock';
import { MarketTime } from '../../core/market/market-time';

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

  protected readonly day = computed(() => this.written((now) => this.market.times().day(now)));
  protected readonly time = computed(() => this.written((now) => this.market.times().clock(now)));
  protected readonly title = computed(() => {
    const replay = this.clock.replay();
    if (!this.clock.known()) return "The market's time is not known yet";
    return replay === null
      ? `Exchange time, ${this.market.times().zone}`
      : `Simulated exchange time: one session every ${replay.seconds_per_session} s, ${this.market.times().zone}`;
  });

  private written(write: (seconds: number) => string): string {
    const now = this.market.now();
    return now === null ? '' : write(now);
  }
}
