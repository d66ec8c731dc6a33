import { DOCUMENT, inject, Injectable, InjectionToken } from '@angular/core';

import type { Offsets } from '../api/api-types';
import { Positions } from './positions';
import { ResumingSocket, type SocketSettings } from './resuming-socket';

/** The browser's WebSocket, or a test's. */
export const WEB_SOCKET = new InjectionToken<SocketSettings['constructor']>('WebSocket', {
  providedIn: 'root',
  factory: () => WebSocket,
});

/** A little less than the six seconds within which silence is told: three heartbeats of the gateway. */
const QUIET = 5800;
const SILENCE = 15_000;

export interface Stream {
  readonly socket: ResumingSocket;
  readonly positions: Positions;
}

/** The gateway's two streams, each from where snapshots end. */
@Injectable({ providedIn: 'root' })
export class MarketStream {
  private readonly webSocket = inject(WEB_SOCKET);
  private readonly base = inject(DOCUMENT).baseURI;

  /** Bars of every symbol, so that one listed today shows up by itself. */
  bars(snapshots: readonly Offsets[]): Stream {
    return this.open('/live', {}, snapshots);
  }

  /** Forecasts of one symbol, of the champion and of its shadows. */
  forecasts(symbol: string, snapshots: readonly Offsets[]): Stream {
    return this.open('/forecast', { symbols: symbol, roles: 'CHAMPION,SHADOW' }, snapshots);
  }

  private open(path: string, query: Readonly<Record<string, string>>, snapshots: readonly Offsets[]): Stream {
    const url = new URL(path, this.base);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.search = new URLSearchParams(query).toString();
    const positions = new Positions(snapshots);
    const socket = new ResumingSocket({
      url: () => url.href,
      positions,
      quiet: QUIET,
      silence: SILENCE,
      constructor: this.webSocket,
      random: Math.random,
    });
    return { socket, positions };
  }
}
