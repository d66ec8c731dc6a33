import { Component, computed, inject, input } from '@angular/core';

import { type LoadState, problemIn } from '../core/api/load-state';
import { Troubles } from '../core/api/troubles';
import { ProblemNote } from './problem-note';

/**
 * In place of what is not there: that it is being read, that it cannot be read, or, as its content, that there is none.
 * Troubles that the page tells of as a whole are named here, not told again.
 */
@Component({
  selector: 'ft-load-note',
  imports: [ProblemNote],
  template: `
    @if (trouble(); as trouble) {
      <p class="muted load-wait" data-testid="load-trouble">{{ what() }} could not be read: {{ uncapitalised(trouble.problem.title) }}.</p>
    } @else if (problem(); as problem) {
      <ft-problem-note [problem]="problem" />
    } @else if (load().status === 'loading') {
      <p class="muted load-wait" role="status" data-testid="load-reading">Reading {{ what().toLowerCase() }} …</p>
    } @else {
      <ng-content />
    }
  `,
})
export class LoadNote {
  private readonly troubles = inject(Troubles);

  readonly load = input.required<LoadState>();
  /** What is read, as the beginning of a sentence: `Standings`. */
  readonly what = input.required<string>();
  /** Where it is read from: one place or several. */
  readonly path = input.required<string | readonly string[]>();

  protected readonly trouble = computed(() => {
    const path = this.path();
    const paths = typeof path === 'string' ? [path] : path;
    return paths.map((one) => this.troubles.of(one)).find((trouble) => trouble !== null) ?? null;
  });
  protected readonly problem = computed(() => problemIn(this.load()));

  protected uncapitalised(title: string): string {
    return title.charAt(0).toLowerCase() + title.slice(1);
  }
}
