import { Component, computed, inject } from '@angular/core';

import { PATHS } from '../../core/api/api';
import { secondsOf } from '../../core/market/bars';
import { BarFeed } from '../../core/market/bar-feed';
import { familyName } from '../../core/models/families';
import { MarketClock } from '../../core/market/market-clock';
import { ModelBoard } from '../../core/models/model-board';
import { PipelineFeed } from '../../core/pipeline/pipeline-feed';
import { count, decimal, percent } from '../../ui/numbers';
import { LoadNote } from '../../ui/load-note';
import { MarketTime } from '../../core/market/market-time';
import { sparkline } from '../../ui/sparklines';
import { ago, readModels } from './read-models';

const WIDTH = 120;
const HEIGHT = 22;

/** Every service, topic and read model: who is ready, who is behind, what could not be read, what was trained last. */
@Component({
  selector: 'ft-pipeline-page',
  imports: [LoadNote],
  templateUrl: './pipeline-page.html',
})
export class PipelinePage {
  private readonly feed = inject(PipelineFeed);
  private readonly board = inject(ModelBoard);
  private readonly bars = inject(BarFeed);
  private readonly clock = inject(MarketClock);
  private readonly market = inject(MarketTime);

  protected readonly state = this.feed.state;
  protected readonly load = this.feed.load;
  protected readonly promotionsLoad = this.board.promotionsLoad;
  protected readonly paths = PATHS;

  protected readonly models = computed(() => {
    const [now, rates] = [this.clock.tick(), this.feed.rates()];
    return readModels(this.state()?.read_models ?? []).map((model) => ({
      ...model,
      fresh: model.updatedAt === null ? 'never' : ago(now - Date.parse(model.updatedAt)),
      rate: rates.now(`model:${model.name}`),
    }));
  });
  protected readonly topics = computed(() => {
    const rates = this.feed.rates();
    return (this.state()?.topics ?? []).map((topic) => ({
      ...topic,
      rate: rates.now(topic.name),
      path: sparkline(rates.history(topic.name), WIDTH, HEIGHT),
    }));
  });
  protected readonly lag = computed(() => {
    const lags = this.models().map(({ lag }) => lag);
    return lags.includes(null) ? null : lags.reduce<number>((total, lag) => total + (lag ?? 0), 0);
  });
  protected readonly away = computed(() => (this.state()?.services ?? []).filter(({ ready }) => !ready).length);
  protected readonly newest = computed(() => {
    const newest = this.bars.newest();
    if (newest === null) return this.bars.load().status === 'empty' ? 'none yet' : 'not known yet';
    return this.market.times().date(newest);
  });
  /** How long ago, if it came while the page was open. */
  protected readonly arrived = computed(() => {
    const arrived = this.bars.arrivedAt();
    return arrived === null ? null : ago(this.clock.tick() - arrived);
  });

  /** The newest move of each alias in the last training: all moves of one training share its data. */
  protected readonly training = computed(() => {
    const [last] = this.board.promotions();
    if (last === undefined) return null;
    const moves = this.board.promotions().filter(({ training }) => training.sha256 === last.training.sha256);
    const rows = [...new Map([...moves].reverse().map((move) => [move.alias, move])).values()];
    return {
      decided: this.market.times().day(secondsOf(last.decided_at)),
      bars: last.training.bars,
      sha256: last.training.sha256,
      reason: moves.find(({ alias }) => alias === 'champion')?.reason ?? last.reason,
      rows: rows.map(({ alias, family, version, run_id, evaluation }) => ({
        alias,
        name: `${familyName(family)} v${version}`,
        run: this.runOf(run_id),
        metrics: evaluation.candidate,
      })),
    };
  });
  protected readonly airflow = computed(() => `${this.state()?.links.airflow ?? ''}/dags/train_stock_model`);

  protected readonly count = count;
  protected readonly decimal = decimal;
  protected readonly percent = percent;

  private runOf(run: string): string {
    return `${this.state()?.links.mlflow ?? ''}/#/runs/${run}`;
  }
}
