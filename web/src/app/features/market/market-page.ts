import { Component, effect, inject } from '@angular/core';

import { PATHS } from '../../core/api/api';
import { BarFeed } from '../../core/market/bar-feed';
import { ForecastFeed } from '../../core/forecasts/forecast-feed';
import { LoadNote } from '../../ui/load-note';
import { ChartPanel } from './chart/chart-panel';
import { ForecastTable } from './panel/forecast-table';
import { LeaderboardTable } from './panel/leaderboard-table';
import { ModelCard } from './panel/model-card';
import { PredictForm } from './panel/predict-form';
import { SymbolList } from './symbols/symbol-list';
import { Selection } from '../../core/state/selection';

/** The market at a glance: symbols, the chart of one, and what models say of it. */
@Component({
  selector: 'ft-market-page',
  imports: [ChartPanel, ForecastTable, LeaderboardTable, LoadNote, ModelCard, PredictForm, SymbolList],
  template: `
    @if (feed.symbols().length > 0) {
      <div class="market">
        <ft-symbol-list class="market-symbols" />
        <main class="market-main" id="main"><ft-chart-panel /></main>
        <aside class="market-side" aria-label="Models and forecasts">
          <ft-forecast-table />
          <ft-predict-form />
          <ft-model-card />
          <ft-leaderboard-table />
        </aside>
      </div>
    } @else {
      <main class="market-empty" id="main">
        <h1 class="sr-only">Market</h1>
        <ft-load-note [load]="feed.load()" what="Symbols" [path]="path">
          <p data-testid="no-data">
            <strong>No bars yet.</strong> History is being fetched; symbols appear here by themselves. If nothing comes within a
            minute, <code>foretick status</code> tells what the producers wait for.
          </p>
        </ft-load-note>
      </main>
    }
  `,
})
export class MarketPage {
  protected readonly path = PATHS.symbols;
  protected readonly feed = inject(BarFeed);
  private readonly selection = inject(Selection);
  private readonly forecasts = inject(ForecastFeed);

  constructor() {
    effect(() => {
      const symbol = this.selection.symbol();
      if (symbol !== null) this.forecasts.follow(symbol);
    });
  }
}
