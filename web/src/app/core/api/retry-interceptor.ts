import { HttpErrorResponse, type HttpInterceptorFn, HttpResponse } from '@angular/common/http';
import { inject } from '@angular/core';
import { finalize, race, retry, tap, throwError, timeout, timer } from 'rxjs';

import { type Problem, problemOf } from './problems';
import { Troubles } from './troubles';

/** Seconds before the first try again, one more each time, up to the last. */
const FIRST = 2;
const LAST = 5;
/** Milliseconds after which a gateway that takes a request and does not answer counts as away. */
const PATIENCE = 20_000;

/**
 * Ask again, until somebody answers or nobody waits any more, for what a server that is away or fails did not give: reads
 * only, after the time that it asked for. What is waited for, and until when, is told once for the whole page.
 */
export const retryReads: HttpInterceptorFn = (request, next) => {
  if (request.method !== 'GET') return next(request);
  const troubles = inject(Troubles);
  const path = request.url;
  const late = () => new HttpErrorResponse({ status: 0, url: path, error: { detail: `No answer came within ${PATIENCE / 1000} s.` } });
  return next(request).pipe(
    timeout({ each: PATIENCE, with: () => throwError(late) }),
    retry({
      delay: (error: unknown, tries) => {
        const problem = problemOf(error);
        if (!passes(problem)) {
          if (problem.kind === 'unknown') troubles.note({ path, problem, againAt: null });
          else troubles.answered(path);
          return throwError(() => error);
        }
        const wait = 1000 * (problem.retryAfter ?? Math.min(LAST, FIRST + tries - 1));
        troubles.note({ path, problem, againAt: Date.now() + wait });
        return race(timer(wait), troubles.now);
      },
    }),
    tap((event) => {
      if (event instanceof HttpResponse) troubles.answered(path);
    }),
    finalize(() => {
      troubles.left(path);
    }),
  );
};

/** Whether a problem may pass by itself. */
function passes({ kind, retryAfter }: Problem): boolean {
  return kind === 'away' || kind === 'failed' || (kind === 'refused' && retryAfter !== null);
}
