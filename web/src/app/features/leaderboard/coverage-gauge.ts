import { Component, computed, input } from '@angular/core';

import { percent } from '../../ui/numbers';

/** Percentage points from the promise to either end of the gauge. */
const REACH = 0.12;
const WIDTH = 56;
/** Within three points the promise counts as kept. */
const KEPT = 0.03;

/** How far realised coverage is from the nominal one. */
@Component({
  selector: 'ft-coverage-gauge',
  template: `
    <span class="gauge">
      <svg class="gauge-drawing" viewBox="0 0 60 12" width="60" height="12" aria-hidden="true">
        <path d="M2 6h56" class="gauge-axis" />
        <path d="M30 1v10" class="gauge-mark" />
        @if (x() !== null) {
          <circle [attr.cx]="x()" cy="6" r="3.4" [class]="kept() ? 'gauge-dot' : 'gauge-dot gauge-off'" />
        }
      </svg>
      <span>{{ percent(realised()) }}</span>
    </span>
  `,
})
export class CoverageGauge {
  readonly nominal = input.required<number>();
  readonly realised = input.required<number | null>();

  private readonly miss = computed(() => {
    const realised = this.realised();
    return realised === null ? null : realised - this.nominal();
  });

  protected readonly kept = computed(() => Math.abs(this.miss() ?? 0) <= KEPT);
  protected readonly x = computed(() => {
    const miss = this.miss();
    return miss === null ? null : 30 + (Math.max(-REACH, Math.min(REACH, miss)) / REACH) * (WIDTH / 2);
  });
  protected readonly percent = percent;
}
