import { Component, computed, inject, input } from '@angular/core';

import { Theme } from '../../core/state/theme';
import { DASHES, type FanKind } from './fan-kinds';
import { PALETTES } from './palettes';

/** A fan in small, with the very colour and dash that the chart draws it with. */
@Component({
  selector: 'ft-fan-swatch',
  template: `
    <svg class="swatch" viewBox="0 0 22 10" width="22" height="10" aria-hidden="true" [attr.data-kind]="kind()">
      @if (kind() === 'champion') {
        <rect width="22" height="10" [attr.fill]="colour()" opacity="0.4" />
        <path d="M0 5h22" [attr.stroke]="colour()" stroke-width="2" />
      } @else {
        <path d="M0 1h22M0 9h22" [attr.stroke]="colour()" [attr.stroke-dasharray]="dash()" stroke-width="1.3" />
        <path d="M0 5h22" [attr.stroke]="colour()" stroke-width="1.6" />
      }
    </svg>
  `,
})
export class FanSwatch {
  private readonly theme = inject(Theme);

  readonly kind = input.required<FanKind>();

  protected readonly colour = computed(() => PALETTES[this.theme.name()].fans[this.kind()]);
  protected readonly dash = computed(() => DASHES[this.kind()].join(' '));
}
