import { computed, inject, Injectable } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { NavigationEnd, Router } from '@angular/router';
import { filter, map, startWith } from 'rxjs';

import { BarFeed } from '../market/bar-feed';

/** Which symbol is looked at: the address says so (`?symbol=IBM`), else it is the first. */
@Injectable({ providedIn: 'root' })
export class Selection {
  private readonly router = inject(Router);
  private readonly feed = inject(BarFeed);

  private readonly asked = toSignal(
    this.router.events.pipe(
      filter((event) => event instanceof NavigationEnd),
      startWith(null),
      map(() => this.router.parseUrl(this.router.url).queryParamMap.get('symbol')),
    ),
    { requireSync: true },
  );

  readonly symbol = computed(() => {
    const symbols = this.feed.symbols().map(({ symbol }) => symbol);
    const asked = this.asked();
    return asked !== null && symbols.includes(asked) ? asked : (symbols[0] ?? null);
  });

  readonly summary = computed(() => this.feed.symbols().find(({ symbol }) => symbol === this.symbol()) ?? null);

  choose(symbol: string): void {
    void this.router.navigate([], { queryParams: { symbol }, queryParamsHandling: 'merge' });
  }
}
