import { Component, computed, inject } from '@angular/core';

import { MarketClock } from '../../core/market/market-clock';
import { Troubles } from '../../core/api/troubles';

/** What cannot be read now, told once for the whole page, and when it is asked for again. Lies over the page: nothing moves. */
@Component({
  selector: 'ft-trouble-notice',
  template: `
    @if (trouble(); as trouble) {
      <div class="trouble note" data-testid="trouble">
        <div role="alert">
          <strong>{{ trouble.problem.title }}</strong>
          <p>{{ trouble.problem.detail }}</p>
          <p class="note-next">{{ trouble.problem.kind === 'away' && !trouble.problem.unreachable ? calm : trouble.problem.nextStep }}</p>
        </div>
        @if (trouble.problem.kind === 'unknown') {
          <a class="button" href="/sign-in" data-testid="sign-in">Sign in</a>
        } @else {
          <p class="trouble-again">
            <span class="num" data-testid="trouble-again">{{ again() }}</span>
            <button type="button" class="button" data-testid="trouble-now" (click)="troubles.tryNow()">Try now</button>
          </p>
        }
      </div>
    }
  `,
})
export class TroubleNotice {
  protected readonly troubles = inject(Troubles);
  private readonly clock = inject(MarketClock);

  /** Of a part that is away: the countdown says the rest. */
  protected readonly calm = 'Nothing is lost; foretick status shows what is away.';
  protected readonly trouble = this.troubles.gravest;
  protected readonly again = computed(() => {
    const [at, now] = [this.troubles.againAt(), this.clock.tick()];
    const seconds = at === null ? 0 : Math.ceil((at - now) / 1000);
    return seconds > 0 ? `Trying again in ${seconds} s` : 'Trying again …';
  });
}
