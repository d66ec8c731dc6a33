import { Component, computed, inject } from '@angular/core';

import { ActionFeed } from '../../../core/market/action-feed';
import { splitsOf } from '../../../core/market/actions';
import { ageOf, ageSaid, isStale } from '../../../core/market/ages';
import { PATHS } from '../../../core/api/api';
import { BarFeed } from '../../../core/market/bar-feed';
import { secondsOf } from '../../../core/market/bars';
import { familyName } from '../../../core/models/families';
import { ForecastFeed } from '../../../core/forecasts/forecast-feed';
import { ModelBoard } from '../../../core/models/model-board';
import { change, percent } from '../../../ui/numbers';
import { LoadNote } from '../../../ui/load-note';
import { type QuantileColumn, type QuantileRow, QuantileTable } from '../../../ui/quantile-table';
import { Selection } from '../../../core/state/selection';
import { MarketTime } from '../../../core/market/market-time';
import { commonOrigin, nextSessions } from '../../../ui/next-sessions';

const COLUMNS: readonly QuantileColumn[] = [
  { name: 'vs close', about: 'Median against the close that the forecast was made from' },
  { name: 'Width', about: 'Width of the 95 % interval, relative to the close that the forecast was made from' },
];

/** What every model says of the chosen symbol's next session. */
@Component({
  selector: 'ft-forecast-table',
  imports: [LoadNote, QuantileTable],
  template: `
    <section class="card card-forecasts" aria-labelledby="forecast-heading" data-testid="forecasts">
      <h2 class="card-title" id="forecast-heading">
        Next session <span class="card-note">{{ day() }}</span>
      </h2>
      @if (rows().length > 0) {
        <p class="made" data-testid="forecast-made">
          from the close of {{ made() }}@if (aged(); as aged) {<span class="aged">, {{ aged }}</span>}
        </p>
        <ft-quantile-table about="Forecasts of the next session" testid="forecast-table" [rows]="rows()" [columns]="columns" />
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

  protected readonly rows = computed<readonly QuantileRow[]>(() => {
    const [origin, times] = [this.origin(), this.market.times()];
    return this.sessions().map((row) => ({
      ...row,
      label: `${row.role} v${row.fan.version}`,
      note: row.origin === origin ? null : `made ${times.shortDate(row.origin)}, ${row.ahead} ahead`,
      more: [change(row.move), percent(row.width)],
    }));
  });
  protected readonly day = computed(() => this.written(this.sessions()[0]?.time));
  protected readonly made = computed(() => this.written(this.origin()));
  protected readonly aged = computed(() => {
    const age = Math.min(...this.sessions().map((row) => row.age));
    return isStale(age) ? ageSaid(age) : null;
  });
  /** There are forecasts, but every session that they forecast has closed. */
  protected readonly past = computed(() => {
    const newest = this.feed.fans().toSorted((a, b) => b.origin - a.origin)[0];
    if (newest === undefined || this.held().length === 0) return null;
    return `The newest forecast, from the close of ${this.written(newest.origin)}, is ${ageSaid(ageOf(newest, this.held()))}: every session that it forecast has closed.`;
  });
  /** A champion that was promoted since the last close has issued nothing yet. */
  protected readonly waiting = computed(() => {
    const champion = this.board.champion();
    if (champion === null || this.feed.champion() !== null) return null;
    return `${familyName(champion.family)} v${champion.version} is the champion since ${this.written(secondsOf(champion.decided_at))}; its first forecast comes with the next close.`;
  });
  /** Which session is the next one, the bars say: without them there is nothing to tell of forecasts. */
  protected readonly load = computed(() => {
    const bars = this.bars.loadOf(this.selection.symbol() ?? '')();
    return bars.status === 'ready' ? this.feed.load() : bars;
  });
  protected readonly paths = computed(() => [PATHS.forecasts, PATHS.bars].map((path) => path(this.selection.symbol() ?? '')));
  protected readonly columns = COLUMNS;

  private written(time: number | null | undefined): string {
    return time == null ? '' : this.market.times().day(time);
  }
}
