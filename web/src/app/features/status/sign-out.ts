import { Component, inject } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { catchError, of } from 'rxjs';

import { Api } from '../../core/api/api';

/** Who has signed in with this browser, and the way out; nothing where the gateway asks nobody for a token. */
@Component({
  selector: 'ft-sign-out',
  template: `
    @if (caller()?.session) {
      <form class="sign-out" method="post" action="/sign-out">
        <a class="sign-out-name" href="/sign-in" title="Where you are signed in">{{ caller()?.name }}</a>
        <button type="submit" class="link-button sign-out-button" data-testid="sign-out" title="Sign out">
          <span>Sign out</span>
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <path d="M6 2H2.5v12H6M6.5 8h7.5m-3-3 3 3-3 3" fill="none" stroke="currentColor" stroke-width="1.4" />
          </svg>
        </button>
      </form>
    }
  `,
})
export class SignOut {
  // Why nothing can be read is told once, for the whole page.
  protected readonly caller = toSignal(inject(Api).caller().pipe(catchError(() => of(null))), { initialValue: null });
}
