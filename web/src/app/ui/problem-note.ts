import { Component, input, output } from '@angular/core';

import type { Problem } from '../core/api/problems';

/** What went wrong and what to do next. */
@Component({
  selector: 'ft-problem-note',
  template: `
    <div class="note" [class.note-waiting]="problem().kind === 'training'" role="status" data-testid="problem">
      <strong>{{ problem().title }}</strong>
      <p>{{ problem().detail }}</p>
      <p class="note-next">{{ problem().nextStep }}</p>
      @if (problem().kind === 'unknown') {
        <a class="button" href="/sign-in" data-testid="sign-in">Sign in</a>
      }
      @if (retryable()) {
        <button type="button" class="button" (click)="again.emit()">Try again</button>
      }
    </div>
  `,
})
export class ProblemNote {
  readonly problem = input.required<Problem>();
  readonly retryable = input(false);
  readonly again = output();
}
