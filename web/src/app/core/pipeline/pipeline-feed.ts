import { inject, Injectable, signal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { catchError, EMPTY, exhaustMap, filter, timer } from 'rxjs';

import { Api } from '../api/api';
import type { Pipeline } from '../api/api-types';
import { failed, type LoadState, LOADING, READY } from '../api/load-state';
import { problemOf } from '../api/problems';
import { Rates } from '../api/rates';

const EVERY = 3000;

/** How the whole system does, asked for as long as the page is looked at. */
@Injectable({ providedIn: 'root' })
export class PipelineFeed {
  private readonly api = inject(Api);
  private readonly newest = signal<Pipeline | null>(null);
  private readonly progress = signal<LoadState>(LOADING);
  private readonly measured = signal(new Rates());

  readonly state = this.newest.asReadonly();
  readonly load = this.progress.asReadonly();
  /** Messages a second by topic, and events a second by read model (`model:NAME`). */
  readonly rates = this.measured.asReadonly();

  constructor() {
    timer(0, EVERY)
      .pipe(
        filter(() => document.visibilityState === 'visible'),
        exhaustMap(() =>
          this.api.pipeline().pipe(
            catchError((error: unknown) => {
              // What was read before stays on the screen; the connection badge speaks for a gateway that is away.
              this.progress.set(failed(problemOf(error)));
              return EMPTY;
            }),
          ),
        ),
        takeUntilDestroyed(),
      )
      .subscribe((state) => {
        this.newest.set(state);
        this.progress.set(READY);
        this.measured.update((rates) => rates.with(Date.now(), countsOf(state)));
      });
  }
}

function countsOf({ topics, read_models }: Pipeline): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { name, messages } of topics) if (messages !== null) counts.set(name, messages);
  for (const { name, position } of read_models) counts.set(`model:${name}`, (counts.get(`model:${name}`) ?? 0) + position);
  return counts;
}
