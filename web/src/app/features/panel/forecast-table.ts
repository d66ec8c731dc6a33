import { Component, computed, inject } from '@angular/core';
import { RouterLink } from '@angular/router';

import { BarFeed } from '../../core/bar-feed';
import { familyName } from '../../core/families';
import { ForecastFeed } from '../../core/forecast-feed';
import { problemIn } from '../../core/loads';
import { change, percent, price } from '../../common/numbers';
import { ProblemNote } from '../../common/problem-note';
import { Selection } from '../market/selection';
import { MarketTime } from '../status/market-time';
import { nextSessions } from './next-sessions';

/** What every model says of the chosen symbol's next session. */
@Component({
  selector: 'ft-forecast-table',
  imports: [ProblemNote, RouterLink],
  template: `
    <section class="card" aria-labelledby="forecast-heading">
      <h2 class="card-title" id="forecast-heading">
        Next session <span class="card-note">{{ day() }}</span>
      </h2>
      @if (rows().length > 0) {
        <table class="table num" data-testid="forecast-table">
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col">Median</th>
              <th scope="col">vs close</th>
              <th scope="col">95 % interval</th>
              <th scope="col"><abbr title="Width of the 95 % interval, relative to the last close">Width</abbr></th>
            </tr>
          </thead>
          <tbody>
            @for (row of rows(); track row.key) {
              <tr [class]="'role-' + row.role">
                <th scope="row">
                  <span class="swatch" aria-hidden="true"></span>
                  @if (row.id; as id) {
                    <a class="quiet-link" [routerLink]="['/lineage', id]" title="What this forecast was made from">{{ name(row.family) }}</a>
                  } @else {
                    {{ name(row.family) }}
                  }
                  <span class="role">{{ row.role }} v{{ row.version }}</span>
                </th>
                <td>{{ price(row.median) }}</td>
                <td>{{ change(row.move) }}</td>
                <td class="interval">{{ price(row.low95) }}<span class="to">–</span>{{ price(row.high95) }}</td>
                <td>{{ percent(row.width) }}</td>
              </tr>
            }
          </tbody>
        </table>
      } @else if (problem(); as problem) {
        <ft-problem-note [problem]="problem" />
      } @else if (feed.load().status === 'loading') {
        <p class="muted">Reading forecasts …</p>
      } @else {
        <p class="muted">No forecast for {{ selection.symbol() }} yet: the next bar that closes brings one, once a model serves.</p>
      }
    </section>
  `,
})
export class ForecastTable {
  protected readonly feed = inject(ForecastFeed);
  protected readonly selection = inject(Selection);
  private readonly bars = inject(BarFeed);
  private readonly market = inject(MarketTime);

  private readonly last = computed(() => this.bars.bars(this.selection.symbol() ?? '')().at(-1));

  protected readonly rows = computed(() => {
    const last = this.last();
    return last === undefined ? [] : nextSessions(this.feed.fans(), last.time, last.close);
  });
  protected readonly day = computed(() => {
    const first = this.rows()[0];
    return first === undefined ? '' : this.market.times().day(first.time);
  });
  protected readonly problem = computed(() => problemIn(this.feed.load()));
  protected readonly name = familyName;
  protected readonly price = price;
  protected readonly change = change;
  protected readonly percent = percent;
}
