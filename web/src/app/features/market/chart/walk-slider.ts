import { Component, computed, inject, input } from '@angular/core';

import { BarFeed } from '../../../core/market/bar-feed';
import type { ExchangeTimes } from '../../../core/market/exchange-times';
import { ModelBoard } from '../../../core/models/model-board';
import { Selection } from '../../../core/state/selection';
import { PastView } from './past-view';
import { walkSaid } from './walk-said';

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
        [disabled]="walk.furthest() === 0"
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
  protected readonly walk = inject(PastView);
  private readonly board = inject(ModelBoard);
  private readonly feed = inject(BarFeed);
  private readonly selection = inject(Selection);

  readonly times = input.required<ExchangeTimes>();

  private readonly bars = computed(() => this.feed.bars(this.selection.symbol() ?? '')());

  /** Raw share terms do not matter to a tally: fans and closes of one time stand in the same terms unless a split came between. */
  private readonly closes = computed(() => new Map(this.bars().map(({ time, close }) => [time, close])));

  protected readonly said = computed(() =>
    walkSaid(
      {
        originAt: this.walk.originAt(),
        fans: this.walk.fans(),
        failed: this.walk.problem() !== null,
        furthest: this.walk.furthest(),
        oldest: this.bars()[0]?.time ?? null,
        firstPromotion: this.board.promotions().at(-1)?.decided_at ?? null,
        closes: this.closes(),
      },
      (time) => this.times().day(time),
      (time) => this.times().date(time),
    ),
  );

  protected slide(event: Event): void {
    if (event.target instanceof HTMLInputElement) this.walk.to(this.walk.furthest() - event.target.valueAsNumber);
  }
}
