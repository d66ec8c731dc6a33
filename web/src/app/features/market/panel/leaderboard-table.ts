import { Component, inject } from '@angular/core';

import { PATHS } from '../../../core/api/api';
import { familyName } from '../../../core/models/families';
import { ModelBoard } from '../../../core/models/model-board';
import { skillOf, toneOf } from '../../../core/models/skills';
import { change, count, decimal, percent } from '../../../ui/numbers';
import { LoadNote } from '../../../ui/load-note';

/** Live standings one session ahead, over all symbols; what is beyond noise first. */
@Component({
  selector: 'ft-leaderboard-table',
  imports: [LoadNote],
  template: `
    <section class="card" aria-labelledby="leaderboard-heading">
      <h2 class="card-title" id="leaderboard-heading">Leaderboard <span class="card-note">live, one session ahead</span></h2>
      @if (rows().length > 0) {
        <div class="sheet-flat" tabindex="0" role="region" aria-label="Live standings">
          <table class="table num" data-testid="leaderboard">
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col"><abbr title="1 minus the loss of the whole distribution over the random walk's, on the sessions that both have settled: above zero beats it">Skill</abbr></th>
                <th scope="col"><abbr title="Mean absolute scaled error">MASE</abbr></th>
                <th scope="col"><abbr title="Realised coverage of the 80 % interval">80 %</abbr></th>
                <th scope="col"><abbr title="Realised coverage of the 95 % interval">95 %</abbr></th>
                <th scope="col"><abbr title="Sessions settled that its training did not see">n</abbr></th>
              </tr>
            </thead>
            <tbody>
              @for (row of rows(); track row.version) {
                <tr [class.row-few]="row.verdict === 'few'">
                  <th scope="row">{{ name(row.family) }} <span class="role">v{{ row.version }}</span></th>
                  <td [class]="tone(skill(row))">{{ row.verdict === 'baseline' ? '–' : change(skill(row).value) }}</td>
                  <td>{{ decimal(row.mase) }}</td>
                  <td>{{ percent(row.coverage_80) }}</td>
                  <td>{{ percent(row.coverage_95) }}</td>
                  <td>{{ count(row.sessions) }}</td>
                </tr>
              }
            </tbody>
          </table>
        </div>
        <p class="card-foot">Skill is measured against the random walk, and coloured where it is beyond noise. Greyed: fewer than 30 sessions.</p>
      } @else {
        <ft-load-note [load]="load()" what="Standings" [path]="path">
          <p class="muted" data-testid="leaderboard-none">Nothing settled yet. A forecast is scored when its session closes.</p>
        </ft-load-note>
      }
    </section>
  `,
})
export class LeaderboardTable {
  private readonly board = inject(ModelBoard);

  protected readonly path = PATHS.leaderboard;
  protected readonly rows = this.board.leaderboard;
  protected readonly load = this.board.leaderboardLoad;
  protected readonly skill = skillOf;
  protected readonly tone = toneOf;
  protected readonly name = familyName;
  protected readonly change = change;
  protected readonly percent = percent;
  protected readonly decimal = decimal;
  protected readonly count = count;
}
