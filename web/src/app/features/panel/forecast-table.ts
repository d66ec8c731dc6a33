import { Component, computed, inject } from '@angular/core';
import { RouterLink } from '@angular/router';

import { ActionFeed } from '../../core/action-feed';
import { splitsOf } from '../../core/actions';
import { ageOf, ageSaid, isStale } from '../../core/ages';
import { PATHS } from '../../core/api';
import { BarFeed } from '../../core/bar-feed';
import { secondsOf } from '../../core/bars';
import { familyName } from '../../core/families';
import { ForecastFeed } from '../../core/forecast-feed';
import { ModelBoard } from '../../core/model-board';
import { change, percent, price } from '../../common/numbers';
import { LoadNote } from '../../common/load-note';
import { kindOf } from '../chart/fan-kinds';
import { FanSwatch } from '../chart/fan-swatch';
import { Selection } from '../market/selection';
import { MarketTime } from '../status/market-time';
import { commonOrigin, nextSessions } from './next-sessions';

/** What every model says of the chosen symbol's next session. */
@Component({
  selector: 'ft-forecast-table',
  imports: [FanSwatch, LoadNote, RouterLink],
  template: `
    <section class="card card-forecasts" aria-labelledby="forecast-heading" data-testid="forecasts">
      <h2 class="card-title" id="forecast-heading">
        Next session <span class="card-note">{{ day() }}</span>
      </h2>
      @if (rows().length > 0) {
        <p class="made" data-testid="forecast-made">
          from the close of {{ made() }}@if (aged(); as aged) {<span class="aged">, {{ aged }}</span>}
        </p>
        <div class="sheet-flat" tabindex="0" role="region" aria-label="Forecasts of the next session">
          <table class="table num" data-testid="forecast-table">
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col">Median</th>
                <th scope="col"><abbr title="Median against the close that the forecast was made from">vs close</abbr></th>
                <th scope="col">95 % interval</th>
                <th scope="col"><abbr title="Width of the 95 % interval, relative to the close that the forecast was made from">Width</abbr></th>
              </tr>
            </thead>
            <tbody>
              @for (row of rows(); track row.key) {
                <tr>
                  <th scope="row">
                    <ft-fan-swatch [kind]="kindOf(row.fan)" />
                    @if (row.id; as id) {
                      <a class="quiet-link" [routerLink]="['/lineage', id]" title="What this forecast was made from">{{ name(row.family) }}</a>
                    } @else {
                      {{ name(row.family) }}
                    }
                    <span class="role">{{ row.role }} v{{ row.version }}</span>
                    @if (row.apart; as apart) {
                      <span class="role aged" data-testid="forecast-apart">{{ apart }}</span>
                    }
                  </th>
                  <td>{{ price(row.median) }}</td>
                  <td>{{ change(row.move) }}</td>
                  <td class="interval">{{ price(row.low95) }}<span class="to">–</span>{{ price(row.high95) }}</td>
                  <td>{{ percent(row.width) }}</td>
                </tr>
              }
            </tbody>
          </table>
        </div>
        @if (waiting(); as waiting) {
          <p class="card-foot" data-testid="champion-silent">{{ waiting }}</p>
        }
      } @else if (past(); as past) {
        <p class="aged" data-testid="forecast-past">{{ past }}</p>
      } @else {
        <ft-load-note [load]="load()" what="Forecasts" [path]="paths()">
          <p class="muted">No forecast for {{ selection.symbol() }} yet: the next bar that closes brings one, once a model serves.</p>
        </ft-load-note>
      }
    </section>
  `,
})
export class ForecastTable {
  private readonly feed = inject(ForecastFeed);
  protected readonly selection = inject(Selection);
  private readonly actions = inject(ActionFeed);
  private readonly bars = inject(BarFeed);
  private readonly board = inject(ModelBoard);
  private readonly market = inject(MarketTime);

  private readonly held = computed(() => this.bars.bars(this.selection.symbol() ?? '')());
  private readonly sessions = computed(() =>
    nextSessions(this.feed.fans(), this.held(), splitsOf(this.actions.of(this.selection.symbol() ?? ''))),
  );
  private readonly origin = computed(() => commonOrigin(this.sessions()));

  protected readonly rows = computed(() => {
    const [origin, times] = [this.origin(), this.market.times()];
    return this.sessions().map((row) => ({
      ...row,
      apart: row.origin === origin ? null : `made ${times.shortDate(row.origin)}, ${row.ahead} ahead`,
    }));
  });
  protected readonly day = computed(() => this.written(this.rows()[0]?.time));
  protected readonly made = computed(() => this.written(this.origin()));
  protected readonly aged = computed(() => {
    const age = Math.min(...this.rows().map((row) => row.age));
    return isStale(age) ? ageSaid(age) : null;
  });
  /** Forecasts there are, but all that they speak of has come. */
  protected readonly past = computed(() => {
    const newest = this.feed.fans().toSorted((a, b) => b.origin - a.origin)[0];
    if (newest === undefined || this.held().length === 0) return null;
    return `The newest forecast, from the close of ${this.written(newest.origin)}, is ${ageSaid(ageOf(newest, this.held()))}: all that it speaks of has come.`;
  });
  /** Who was promoted since the last close has not spoken yet. */
  protected readonly waiting = computed(() => {
    const champion = this.board.champion();
    if (champion === null || this.feed.champion() !== null) return null;
    return `${familyName(champion.family)} v${champion.version} is the champion since ${this.written(secondsOf(champion.decided_at))}; it speaks from the next close on.`;
  });
  /** Which session is the next one, the bars say: without them there is nothing to tell of forecasts. */
  protected readonly load = computed(() => {
    const bars = this.bars.loadOf(this.selection.symbol() ?? '')();
    return bars.status === 'ready' ? this.feed.load() : bars;
  });
  protected readonly paths = computed(() => [PATHS.forecasts, PATHS.bars].map((path) => path(this.selection.symbol() ?? '')));
  protected readonly kindOf = kindOf;
  protected readonly name = familyName;
  protected readonly price = price;
  protected readonly change = change;
  protected readonly percent = percent;

  private written(time: number | null | undefined): string {
    return time == null ? '' : this.market.times().day(time);
  }
}
