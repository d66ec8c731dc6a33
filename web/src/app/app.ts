import { Component } from '@angular/core';
import { RouterLink, RouterLinkActive, RouterOutlet } from '@angular/router';

import { AboutDialog } from './features/about/about-dialog';
import { ConnectionBadge } from './features/status/connection-badge';
import { MarketClock } from './features/status/market-clock';
import { SignOut } from './features/status/sign-out';
import { TroubleNotice } from './features/status/trouble-notice';
import { ThemeToggle } from './ui/theme-toggle';

interface Tab {
  readonly path: string;
  readonly label: string;
}

const TABS: readonly Tab[] = [
  { path: '/', label: 'Market' },
  { path: '/leaderboard', label: 'Leaderboard' },
  { path: '/pipeline', label: 'Pipeline' },
  { path: '/try', label: 'Try it' },
  { path: '/time-machine', label: 'Time machine' },
];

@Component({
  selector: 'ft-root',
  imports: [AboutDialog, ConnectionBadge, MarketClock, RouterLink, RouterLinkActive, RouterOutlet, SignOut, ThemeToggle, TroubleNotice],
  template: `
    <a class="skip" href="#main" (click)="skip($event)">Skip to the content</a>
    <header class="header">
      <a class="wordmark" routerLink="/" queryParamsHandling="preserve" aria-label="Foretick, home">
        <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
          <path class="wordmark-fan" d="M9 11 19 3v14Z" />
          <path class="wordmark-line" d="M1 14l3.5-4 2.5 3 2-2h10" />
        </svg>
        <span>Foretick</span>
      </a>
      <nav class="tabs" aria-label="Pages">
        @for (tab of tabs; track tab.path) {
          <a
            class="tab"
            [routerLink]="tab.path"
            queryParamsHandling="preserve"
            routerLinkActive="tab-active"
            ariaCurrentWhenActive="page"
            [routerLinkActiveOptions]="exact"
            >{{ tab.label }}</a
          >
        }
      </nav>
      <span class="header-space"></span>
      <ft-connection-badge />
      <ft-market-clock />
      <ft-sign-out />
      <ft-theme-toggle />
    </header>
    <div class="outlet"><router-outlet /></div>
    <ft-trouble-notice />
    <footer class="footer">
      <span>Forecasts are statistics about the past, not advice.</span>
      <span class="header-space"></span>
      <a href="https://www.tradingview.com/" rel="noopener" target="_blank">Charts by TradingView</a>
      <a href="/docs">API</a>
      <ft-about-dialog />
    </footer>
  `,
})
export class App {
  protected readonly tabs = TABS;
  protected readonly exact = { paths: 'exact', queryParams: 'ignored', matrixParams: 'ignored', fragment: 'ignored' } as const;

  /** The base address would turn a plain fragment into a navigation. */
  protected skip(event: Event): void {
    event.preventDefault();
    const main = document.getElementById('main');
    main?.setAttribute('tabindex', '-1');
    main?.focus();
  }
}
