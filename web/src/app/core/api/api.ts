import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import type { Observable } from 'rxjs';

import type {
  BarsPage,
  Caller,
  CorporateAction,
  ForecastsPage,
  Items,
  LeaderboardRow,
  LineageOf,
  ModelDecision,
  OwnBars,
  Page,
  Pipeline,
  Prediction,
  Promotion,
  SymbolSummary,
} from './api-types';

export type Adjust = 'splits' | 'none';

export interface BarsQuery {
  readonly limit: number;
  readonly adjust: Adjust;
  /** Only bars closed before this time. */
  readonly before?: string;
  /** Only bars closed at or after this time. */
  readonly start?: string;
  /** What was known at this moment. */
  readonly as_of?: string;
}

export interface ForecastsQuery {
  readonly limit: number;
  /** Only those made at the close of this moment. */
  readonly origin?: string;
  /** Issued by this moment, with the scores of then. */
  readonly as_of?: string;
}

export interface LeaderboardQuery {
  readonly step?: number;
  readonly symbol?: string;
  /** Only the newest so many settled sessions. */
  readonly window?: number;
}

/** One close of a caller's own history. */
export interface Observation {
  readonly ds: string;
  readonly y: number;
}

const DAILY = { interval: 'P1D' } as const;

/** Where things are read from. */
export const PATHS = {
  caller: '/api/caller',
  symbols: '/api/symbols',
  models: '/api/models',
  promotions: '/api/promotions',
  leaderboard: '/api/leaderboard',
  pipeline: '/api/pipeline',
  bars: (symbol: string) => `/api/bars/${encodeURIComponent(symbol)}`,
  forecasts: (symbol: string) => `/api/forecasts/${encodeURIComponent(symbol)}`,
  actions: (symbol: string) => `/api/actions/${encodeURIComponent(symbol)}`,
  lineage: (forecastId: string) => `/api/lineage/${encodeURIComponent(forecastId)}`,
} as const;

/** The gateway's REST reads and `POST /predict`. */
@Injectable({ providedIn: 'root' })
export class Api {
  private readonly http = inject(HttpClient);

  caller(): Observable<Caller> {
    return this.http.get<Caller>(PATHS.caller);
  }

  symbols(): Observable<Page<SymbolSummary>> {
    return this.http.get<Page<SymbolSummary>>(PATHS.symbols);
  }

  bars(symbol: string, query: BarsQuery): Observable<BarsPage> {
    return this.http.get<BarsPage>(PATHS.bars(symbol), { params: { ...DAILY, ...query } });
  }

  forecasts(symbol: string, query: ForecastsQuery): Observable<ForecastsPage> {
    return this.http.get<ForecastsPage>(PATHS.forecasts(symbol), { params: { ...DAILY, ...query } });
  }

  /** Splits and dividends, by ex-date. */
  actions(symbol: string, query: { readonly as_of?: string } = {}): Observable<Items<CorporateAction>> {
    return this.http.get<Items<CorporateAction>>(PATHS.actions(symbol), { params: { ...query } });
  }

  models(): Observable<Items<ModelDecision>> {
    return this.http.get<Items<ModelDecision>>(PATHS.models);
  }

  /** Every move of an alias, newest first. */
  promotions(): Observable<Items<Promotion>> {
    return this.http.get<Items<Promotion>>(PATHS.promotions);
  }

  leaderboard(query: LeaderboardQuery): Observable<Items<LeaderboardRow>> {
    return this.http.get<Items<LeaderboardRow>>(PATHS.leaderboard, { params: { ...DAILY, ...query } });
  }

  lineage(forecastId: string): Observable<LineageOf> {
    return this.http.get<LineageOf>(PATHS.lineage(forecastId));
  }

  pipeline(): Observable<Pipeline> {
    return this.http.get<Pipeline>(PATHS.pipeline);
  }

  /** Read bars of the visitor's own; nothing is kept. */
  csv(text: string): Observable<OwnBars> {
    return this.http.post<OwnBars>('/api/csv', text, { headers: { 'Content-Type': 'text/csv' } });
  }

  predict(symbol: string, horizon: number): Observable<Prediction> {
    return this.http.post<Prediction>('/predict', { symbol, ...DAILY, horizon });
  }

  /** By the champion, or another model at work: an alias, a family or a version. */
  predictHistory(history: readonly Observation[], horizon: number, model: string): Observable<Prediction> {
    return this.http.post<Prediction>('/predict', { history, horizon, model });
  }
}
