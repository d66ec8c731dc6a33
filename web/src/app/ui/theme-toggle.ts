import { Component, computed, inject } from '@angular/core';

import { Theme } from '../core/state/theme';

@Component({
  selector: 'ft-theme-toggle',
  template: `
    <button type="button" class="icon-button" data-testid="theme-toggle" (click)="theme.toggle()" [attr.aria-label]="label()" [title]="label()">
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        @if (theme.name() === 'dark') {
          <circle cx="8" cy="8" r="3.2" fill="currentColor" />
          <path
            d="M8 .8v2M8 13.2v2M.8 8h2M13.2 8h2M2.9 2.9l1.4 1.4M11.7 11.7l1.4 1.4M2.9 13.1l1.4-1.4M11.7 4.3l1.4-1.4"
            stroke="currentColor"
            stroke-width="1.4"
            stroke-linecap="round"
          />
        } @else {
          <path d="M13.8 9.9A6.2 6.2 0 0 1 6.1 2.2a6.2 6.2 0 1 0 7.7 7.7Z" fill="currentColor" />
        }
      </svg>
    </button>
  `,
})
export class ThemeToggle {
  protected readonly theme = inject(Theme);
  protected readonly label = computed(() => (this.theme.name() === 'dark' ? 'Switch to the light theme' : 'Switch to the dark theme'));
}
