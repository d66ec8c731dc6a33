import { Component, type ElementRef, inject, viewChildren } from '@angular/core';

import { BarFeed } from '../../../core/market/bar-feed';
import { Selection } from '../../../core/state/selection';
import { SymbolRow } from './symbol-row';

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

/** All symbols; a column beside the chart, a bar to swipe on phones. Arrow keys choose. */
@Component({
  selector: 'ft-symbol-list',
  imports: [SymbolRow],
  template: `
    <nav aria-label="Symbols" class="symbols">
      <ul class="symbols-list">
        @for (summary of feed.symbols(); track summary.symbol; let at = $index) {
          <li>
            <button
              #row
              type="button"
              class="symbols-row"
              [attr.data-testid]="'symbol-' + summary.symbol"
              [attr.aria-current]="summary.symbol === selection.symbol() ? 'true' : null"
              (click)="selection.choose(summary.symbol)"
              (keydown)="onKey($event, at)"
            >
              <ft-symbol-row [summary]="summary" />
            </button>
          </li>
        }
      </ul>
    </nav>
  `,
})
export class SymbolList {
  protected readonly feed = inject(BarFeed);
  protected readonly selection = inject(Selection);
  private readonly rows = viewChildren<ElementRef<HTMLButtonElement>>('row');

  protected onKey(event: KeyboardEvent, at: number): void {
    const step = STEPS[event.key];
    const row = step === undefined ? undefined : this.rows()[at + step]?.nativeElement;
    if (row === undefined) return;
    event.preventDefault();
    row.focus();
    row.click();
  }
}
