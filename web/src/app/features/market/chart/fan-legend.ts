import { Component, computed, inject, input, output } from '@angular/core';
import { RouterLink } from '@angular/router';

import { roleName } from '../../../core/models/champions';
import { familyName } from '../../../core/models/families';
import type { Fan } from '../../../core/forecasts/forecasts';
import { ModelBoard } from '../../../core/models/model-board';
import { count, percent } from '../../../ui/numbers';
import { kindOf } from '../../../ui/chart/fan-kinds';
import { FanSwatch } from '../../../ui/chart/fan-swatch';

export interface LegendEntry {
  readonly fan: Fan;
  readonly shown: boolean;
  /** `from the close of 14 Dec, 11 sessions old`; null while it is fresh. */
  readonly aged: string | null;
}

/** Which forecasts are on the chart: model, version, role, nominal and realised coverage. Each can be switched. */
@Component({
  selector: 'ft-fan-legend',
  imports: [FanSwatch, RouterLink],
  template: `
    <ul class="fans" data-testid="fan-legend" aria-label="Forecasts on the chart">
      @for (entry of entries(); track entry.fan.role + entry.fan.version) {
        <li class="fans-item">
          <button
            type="button"
            class="fans-entry"
            [attr.aria-pressed]="entry.shown"
            [title]="hint(entry.fan, entry.shown)"
            (click)="switched.emit(entry.fan)"
          >
            <ft-fan-swatch [kind]="kindOf(entry.fan)" />
            <span class="fans-name">{{ name(entry.fan) }}</span>
            <span class="fans-note">{{ note(entry.fan) }}</span>
            @if (entry.shown && entry.aged && commonAge() === null) {
              <span class="aged" data-testid="fan-aged">{{ entry.aged }}</span>
            }
          </button>
          @if (entry.shown && entry.fan.id; as id) {
            <a class="fans-link" [routerLink]="['/lineage', id]" [attr.aria-label]="'Lineage of the forecast of ' + name(entry.fan)">lineage</a>
          }
        </li>
      }
      @if (commonAge(); as aged) {
        <li class="fans-item aged" data-testid="fan-aged">{{ aged }}</li>
      }
    </ul>
  `,
})
export class FanLegend {
  private readonly board = inject(ModelBoard);

  readonly entries = input.required<readonly LegendEntry[]>();
  readonly switched = output<Fan>();

  /** The age that all share, told once; null where they differ or are fresh. */
  protected readonly commonAge = computed(() => {
    const ages = new Set(this.entries().map(({ aged }) => aged));
    return ages.size === 1 ? ([...ages][0] ?? null) : null;
  });
  protected readonly kindOf = kindOf;

  protected name(fan: Fan): string {
    return `${familyName(fan.family)} v${fan.version}`;
  }

  protected note(fan: Fan): string {
    const role = roleName(fan);
    if (role === 'shadow' || role === 'requested') return role;
    const realised = this.board.realised(fan.version);
    const band = (nominal: string, coverage: number | undefined): string =>
      coverage === undefined ? nominal : `${nominal} (${percent(coverage)} realised)`;
    const outer = band('95 %', realised?.coverage95);
    return `${role} · ${role === 'champion' ? `50 %, ${band('80 %', realised?.coverage80)}, ${outer}` : outer}`;
  }

  protected hint(fan: Fan, shown: boolean): string {
    const realised = this.board.realised(fan.version);
    const told = realised === null ? 'no session settled yet' : `${percent(realised.coverage95)} of ${count(realised.n)} inside`;
    return `${shown ? 'Hide' : 'Show'} ${this.name(fan)}. Its 95 % interval one session ahead: ${told}.`;
  }
}
