import { signal } from '@angular/core';
import {
  type Observable,
  concat,
  connect,
  defer,
  endWith,
  fromEvent,
  ignoreElements,
  merge,
  mergeMap,
  race,
  retry,
  startWith,
  switchMap,
  takeUntil,
  tap,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import { webSocket, type WebSocketSubjectConfig } from 'rxjs/webSocket';

import type { Offsets } from '../api/api-types';
import { backoff } from './backoff';
import type { Positions } from './positions';
import { messagesOf, type StreamMessage } from './stream-messages';

/** The state of a socket, for people: what it does now and what the last reconnection brought back. */
export interface LinkState {
  readonly phase: 'connecting' | 'open' | 'silent' | 'retrying';
  /** Which try to come back this is; 0 while open or connecting for the first time. */
  readonly attempt: number;
  /** Messages missed while away and received since; null before the first reconnection. */
  readonly recovered: number | null;
  /** Milliseconds since the epoch of the last change of phase; while silent, of the last word. */
  readonly since: number;
  /** What the gateway says it reads: `live`, or `starting` or `away` while the log cannot be had. */
  readonly source: string;
}

/** Milliseconds after which a connection counts as having held. */
const HELD = 5000;
/** Milliseconds given to a gateway that may be on this very machine, once the browser says that the network is gone. */
const OFFLINE = 3000;

const FIRST: LinkState = { phase: 'connecting', attempt: 0, recovered: null, since: 0, source: 'live' };

/** Every offset is void: the topics were made again, and whatever is held must be fetched again. */
export interface TopicRemade {
  readonly type: 'remade';
}

export interface SocketSettings {
  readonly url: () => string;
  readonly positions: Positions;
  /** Milliseconds without any message, heartbeats included, after which that is told. */
  readonly quiet: number;
  /** And after which the socket counts as dead: much later, as machines that are slow come back to it by themselves. */
  readonly silence: number;
  readonly constructor: NonNullable<WebSocketSubjectConfig<unknown>['WebSocketCtor']>;
  readonly random: () => number;
}

/** A WebSocket that always comes back: from the last position seen, with each message once. */
export class ResumingSocket {
  private readonly state = signal<LinkState>(FIRST);
  private missedUntil: Offsets = {};
  private attempts = 0;
  private openedAt: number | null = null;
  private heardAt = 0;

  readonly link = this.state.asReadonly();

  /** Cold: connects when subscribed, reconnects for ever, closes when unsubscribed. */
  readonly messages: Observable<StreamMessage | TopicRemade> = defer(() => this.connection()).pipe(
    retry({ delay: () => this.pause() }),
  );

  constructor(private readonly settings: SocketSettings) {}

  private connection(): Observable<StreamMessage | TopicRemade> {
    const { url, positions, silence, constructor } = this.settings;
    const socket = webSocket<unknown>({
      url: url(),
      WebSocketCtor: constructor,
      openObserver: {
        next: () => {
          socket.next(positions.resume());
        },
      },
    });
    // A clean close completes the subject, and `retry` only sees errors.
    const closed = throwError(() => new Error('the gateway closed the socket'));
    return concat(socket, closed).pipe(
      timeout(silence),
      connect((frames) => merge(frames.pipe(mergeMap(messagesOf), mergeMap((message) => this.noted(message))), this.hush(frames))),
    );
  }

  /** Tell of silence while frames fail to come; what emits nothing itself. */
  private hush(frames: Observable<unknown>): Observable<never> {
    const quiet = frames.pipe(
      startWith(null),
      switchMap(() => timer(this.settings.quiet)),
    );
    const offline = fromEvent(window, 'offline').pipe(switchMap(() => timer(OFFLINE).pipe(takeUntil(frames))));
    return merge(quiet, offline).pipe(
      takeUntil(frames.pipe(ignoreElements(), endWith(null))),
      tap(() => {
        if (this.state().phase === 'open') this.state.update((state) => ({ ...state, phase: 'silent', since: this.heardAt }));
      }),
      ignoreElements(),
    );
  }

  private pause(): Observable<unknown> {
    // A gateway that greets and hangs up at once is not back: only a connection that held begins the count again.
    const held = this.openedAt !== null && Date.now() - this.openedAt > HELD;
    this.attempts = held ? 1 : this.attempts + 1;
    this.openedAt = null;
    const attempt = this.attempts;
    this.state.update((state) => ({ ...state, phase: 'retrying', attempt, since: Date.now() }));
    return race(timer(backoff(attempt, this.settings.random)), fromEvent(window, 'online'));
  }

  private noted(message: StreamMessage): readonly (StreamMessage | TopicRemade)[] {
    const { positions } = this.settings;
    this.opened();
    switch (message.type) {
      case 'hello': {
        this.missedUntil = message.positions;
        this.heard(message.source);
        return positions.adopt(message.epochs) ? [message, { type: 'remade' }] : [message];
      }
      case 'gap':
        positions.skip(message.topic, message.partition, message.to);
        return [message];
      case 'heartbeat':
        this.heard(message.source);
        return [message];
      default:
        if (!positions.admit(message.topic, message.partition, message.offset)) return [];
        this.countRecovered(message.topic, message.partition, message.offset);
        return [message];
    }
  }

  private opened(): void {
    const { phase, attempt, recovered, source } = this.state();
    this.heardAt = Date.now();
    if (phase === 'open') return;
    this.openedAt ??= this.heardAt;
    this.state.set({ phase: 'open', attempt: 0, recovered: attempt > 0 ? 0 : recovered, since: this.heardAt, source });
  }

  private heard(source = 'live'): void {
    if (this.state().source !== source) this.state.update((state) => ({ ...state, source }));
  }

  private countRecovered(topic: string, partition: number, offset: number): void {
    const until = this.missedUntil[topic]?.[String(partition)] ?? -1;
    if (offset > until) return;
    this.state.update((state) => ({ ...state, recovered: state.recovered === null ? null : state.recovered + 1 }));
  }
}
