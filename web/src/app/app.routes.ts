import type { Routes } from '@angular/router';

import { MarketPage } from './features/market/market-page';

/** The market page comes with the first load, as it is what people open; the others load when visited. */
export const routes: Routes = [
  { path: '', component: MarketPage, title: 'Foretick' },
  {
    path: 'leaderboard',
    title: 'Leaderboard · Foretick',
    loadComponent: () => import('./features/leaderboard/leaderboard-page').then((page) => page.LeaderboardPage),
  },
  {
    path: 'pipeline',
    title: 'Pipeline · Foretick',
    loadComponent: () => import('./features/pipeline/pipeline-page').then((page) => page.PipelinePage),
  },
  {
    path: 'try',
    title: 'Try it · Foretick',
    loadComponent: () => import('./features/try/try-page').then((page) => page.TryPage),
  },
  {
    path: 'time-machine',
    title: 'Time machine · Foretick',
    loadComponent: () => import('./features/time-machine/time-machine-page').then((page) => page.TimeMachinePage),
  },
  {
    path: 'lineage/:id',
    title: 'Lineage · Foretick',
    loadComponent: () => import('./features/lineage/lineage-page').then((page) => page.LineagePage),
  },
  { path: '**', redirectTo: '' },
];
