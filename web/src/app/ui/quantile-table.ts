import { Component, input } from '@angular/core';
import { RouterLink } from '@angular/router';

import type { Fan } from '../core/forecasts/forecasts';
import { familyName } from '../core/models/families';
import { kindOf } from './chart/fan-kinds';
import { FanSwatch } from './chart/fan-swatch';
import { price } from './numbers';

/** One line of quantiles: of a model's session, or of a session of one model. */
export interface QuantileRow {
  readonly key: string | number;
  /** Whose they are: its swatch, its family, and a link to its lineage, if it has one; null where `label` says what they are of. */
  readonly fan: Fan | null;
  readonly label: string;
  /** In amber. */
  readonly note: string | null;
  readonly median: number;
  readonly low80: number;
  readonly high80: number;
  readonly low95: number;
  readonly high95: number;
  /** The cells of `columns`. */
  readonly more: readonly string[];
}

export interface QuantileColumn {
  readonly name: string;
  readonly about: string | null;
}

/** Medians and intervals as a table, one look wherever they stand. */
@Component({
  selector: 'ft-quantile-table',
  imports: [FanSwatch, RouterLink],
  template: `
    <div class="sheet-flat" tabindex="0" role="region" [attr.aria-label]="about()">
      <table class="table num" [attr.data-testid]="testid()">
        <thead>
          <tr>
            <th scope="col">{{ first() }}</th>
            <th scope="col">Median</th>
            @if (eighty()) {
              <th scope="col">80 % interval</th>
            }
            <th scope="col">95 % interval</th>
            @for (column of columns(); track column.name) {
              <th scope="col">
                @if (column.about; as about) {
                  <abbr [title]="about">{{ column.name }}</abbr>
                } @else {
                  {{ column.name }}
                }
              </th>
            }
          </tr>
        </thead>
        <tbody>
          @for (row of rows(); track row.key) {
            <tr>
              <th scope="row">
                @if (row.fan; as fan) {
                  <ft-fan-swatch [kind]="kindOf(fan)" />
                  @if (fan.id; as id) {
                    <a class="quiet-link" [routerLink]="['/lineage', id]" title="What this forecast was made from">{{ name(fan.family) }}</a>
                  } @else {
                    {{ name(fan.family) }}
                  }
                  <span class="role">{{ row.label }}</span>
                } @else {
                  {{ row.label }}
                }
                @if (row.note; as note) {
                  <span class="role aged" data-testid="row-note">{{ note }}</span>
                }
              </th>
              <td>{{ price(row.median) }}</td>
              @if (eighty()) {
                <td class="interval">{{ price(row.low80) }}<span class="to">–</span>{{ price(row.high80) }}</td>
              }
              <td class="interval">{{ price(row.low95) }}<span class="to">–</span>{{ price(row.high95) }}</td>
              @for (cell of row.more; track $index) {
                <td>{{ cell }}</td>
              }
            </tr>
          }
        </tbody>
      </table>
    </div>
  `,
})
export class QuantileTable {
  readonly rows = input.required<readonly QuantileRow[]>();
  /** What the table is of, for who cannot see it. */
  readonly about = input.required<string>();
  readonly testid = input.required<string>();
  readonly first = input('Model');
  readonly eighty = input(false);
  readonly columns = input<readonly QuantileColumn[]>([]);

  protected readonly kindOf = kindOf;
  protected readonly name = familyName;
  protected readonly price = price;
}
