import { Component, computed, inject, input } from '@angular/core';

import { secondsOf } from '../../core/bars';
import type { ExchangeTimes } from '../../core/exchange-times';
import { familyName } from '../../core/families';
import { tally } from '../../core/forecasts';
import { BarFeed } from '../../core/bar-feed';
import { Selection } from '../market/selection';
import { WalkBack } from './walk-back';

/** A slider over past forecasts: each against the closes that came. */
@Component({
  selector: 'ft-walk-slider',
  template: `
    <div class="walk" role="group" aria-label="Past forecasts">
      <label class="walk-label" for="walk">Walk back</label>
      <button type="button" class="icon-button walk-step" aria-label="One session back" [disabled]="walk.back() >= walk.furthest()" (click)="walk.to(walk.back() + 1)">
        <span aria-hidden="true">◀</span>
      </button>
      <input
        id="walk"
        class="walk-range"
        type="range"
        data-testid="walk-slider"
        min="0"
        step="1"
        [max]="walk.furthest()"
        [value]="walk.furthest() - walk.back()"
        [attr.aria-valuetext]="said()"
        (input)="slide($event)"
      />
      <button type="button" class="icon-button walk-step" aria-label="One session on" [disabled]="!walk.active()" (click)="walk.to(walk.back() - 1)">
        <span aria-hidden="true">▶</span>
      </button>
      <span class="walk-said num" data-testid="walk-said" [attr.data-origin]="walk.originAt()">{{ said() }}</span>
      @if (walk.active()) {
        <button type="button" class="button walk-now" data-testid="walk-now" (click)="walk.to(0)">Back to now</button>
      }
    </div>
  `,
})
export class WalkSlider {
  protected readonly walk = inject(WalkBack);
  private readonly feed = inject(BarFeed);
  private readonly selection = inject(Selection);

  readonly times = input.required<ExchangeTimes>();

  /** Raw share terms do not matter to a tally: fans and closes of one time stand in the same terms unless a split came between. */
  private readonly closes = computed(
    () => new Map(this.feed.bars(this.selection.symbol() ?? '')().map(({ time, close }) => [time, close])),
  );

  protected readonly said = computed(() => {
    const originAt = this.walk.originAt();
    if (originAt === null) return 'the newest forecast';
    const day = this.times().day(secondsOf(originAt));
    if (this.walk.problem() !== null) return `${day}: could not be read`;
    const fans = this.walk.fans();
    if (fans === null) return day;
    const champion = fans.find(({ role }) => role === 'CHAMPION') ?? fans[0];
    if (champion === undefined) return `${day}: nothing was forecast at this close`;
    const { n, inside80, inside95 } = tally(champion, this.closes());
    return `${day}: ${familyName(champion.family)}, of ${n} closes since ${inside80} inside 80 %, ${inside95} inside 95 %`;
  });

  protected slide(event: Event): void {
    if (event.target instanceof HTMLInputElement) this.walk.to(this.walk.furthest() - event.target.valueAsNumber);
  }
}
