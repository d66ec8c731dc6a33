import { inject, Injectable, signal } from '@angular/core';
import { takeUntilDestroyed, toObservable } from '@angular/core/rxjs-interop';
import { catchError, EMPTY, filter, map, switchMap, timer } from 'rxjs';

import { Api } from '../api/api';
import type { CorporateAction } from '../api/api-types';
import { problemOf } from '../api/problems';

/** Actions are announced a few times a year; one announced now is on the chart within this time (milliseconds). */
const EVERY = 30_000;

interface Known {
  readonly symbol: string;
  readonly actions: readonly CorporateAction[];
}

const NONE: readonly CorporateAction[] = [];

/** Splits and dividends of the symbol looked at. */
@Injectable({ providedIn: 'root' })
export class ActionFeed {
  private readonly api = inject(Api);
  private readonly symbol = signal<string | null>(null);
  private readonly known = signal<Known | null>(null);

  constructor() {
    toObservable(this.symbol)
      .pipe(
        filter((symbol) => symbol !== null),
        switchMap((symbol) =>
          timer(0, EVERY).pipe(
            switchMap(() =>
              this.api.actions(symbol).pipe(
                catchError((error: unknown) => {
                  // They are an extra: without them the chart lacks marks, and the next round asks again.
                  console.warn('splits and dividends could not be read', symbol, problemOf(error).detail);
                  return EMPTY;
                }),
              ),
            ),
            map(({ items }) => ({ symbol, actions: items })),
          ),
        ),
        takeUntilDestroyed(),
      )
      .subscribe((known) => {
        this.known.set(known);
      });
  }

  follow(symbol: string): void {
    this.symbol.set(symbol);
  }

  of(symbol: string): readonly CorporateAction[] {
    const known = this.known();
    return known?.symbol === symbol ? known.actions : NONE;
  }
}
