import { Component, computed, inject } from '@angular/core';

import { PATHS } from '../../../core/api/api';
import { secondsOf } from '../../../core/market/bars';
import { familyName, NAIVE } from '../../../core/models/families';
import { ForecastFeed } from '../../../core/forecasts/forecast-feed';
import { ModelBoard } from '../../../core/models/model-board';
import { noModel } from '../../../core/api/problems';
import { LoadNote } from '../../../ui/load-note';
import { ProblemNote } from '../../../ui/problem-note';
import { MarketTime } from '../../../core/market/market-time';

/** The champion: which model it is, since when and why. */
@Component({
  selector: 'ft-model-card',
  imports: [LoadNote, ProblemNote],
  template: `
    <section class="card" aria-labelledby="model-heading">
      <h2 class="card-title" id="model-heading">Champion</h2>
      @if (champion(); as champion) {
        <p class="model-name">
          <strong>{{ name() }}</strong>
          <span class="tag" data-testid="model-version">v{{ champion.version }}</span>
        </p>
        <dl class="facts">
          <div>
            <dt>Model</dt>
            <dd>{{ champion.model_name }}</dd>
          </div>
          <div>
            <dt>Family</dt>
            <dd>{{ champion.family }}</dd>
          </div>
          <div>
            <dt>Decided</dt>
            <dd class="num">{{ decided() }}</dd>
          </div>
        </dl>
        <p class="model-reason">{{ champion.reason }}</p>
        @if (champion.family === naive) {
          <p class="model-honest">
            No trained model has beaten the random walk yet, so the random walk is what you see;
            {{ challenged() ? 'the best of the others is dashed beside it.' : 'the best of the others joins it, dashed, once sessions have settled their forecasts.' }}
          </p>
        }
      } @else {
        <ft-load-note [load]="load()" what="Models" [path]="path"><ft-problem-note [problem]="none" /></ft-load-note>
      }
    </section>
  `,
})
export class ModelCard {
  private readonly board = inject(ModelBoard);
  private readonly feed = inject(ForecastFeed);
  private readonly market = inject(MarketTime);

  protected readonly path = PATHS.models;
  protected readonly naive = NAIVE;
  protected readonly champion = this.board.champion;
  protected readonly name = computed(() => familyName(this.champion()?.family ?? ''));
  protected readonly decided = computed(() => {
    const champion = this.champion();
    return champion === null ? '' : this.market.times().day(secondsOf(champion.decided_at));
  });
  protected readonly challenged = computed(() => this.feed.fans().some(({ role }) => role === 'CHALLENGER'));
  /** No decision yet is no failure. */
  protected readonly none = NO_MODEL;
  protected readonly load = this.board.modelsLoad;
}

const NO_MODEL = noModel('No model has been promoted yet.');
