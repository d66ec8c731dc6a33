import type { HttpInterceptorFn } from '@angular/common/http';
import { retry, throwError, timer } from 'rxjs';

import { problemOf } from './problems';

const TIMES = 4;
const SECONDS = 2;

/** Ask again for what a server that is away for a moment did not give: reads only, after the time that it asked for. */
export const askAgain: HttpInterceptorFn = (request, next) =>
  request.method === 'GET'
    ? next(request).pipe(
        retry({
          count: TIMES,
          delay: (error: unknown) => {
            const { kind, retryAfter } = problemOf(error);
            return kind === 'away' ? timer(1000 * (retryAfter ?? SECONDS)) : throwError(() => error);
          },
        }),
      )
    : next(request);
