import type { MarketHours, ReplayClock } from '../../core/api/api-types';
import { secondsOf } from '../../core/market/bars';
import type { ExchangeTimes } from '../../core/market/exchange-times';
import type { LinkState } from '../../core/stream/resuming-socket';

export type BadgeState =
  | 'connecting'
  | 'unknown'
  | 'silent'
  | 'live'
  | 'closed'
  | 'replaying'
  | 'held'
  | 'finished'
  | 'recovered'
  | 'reconnecting'
  | 'stale';

export interface Badge {
  readonly state: BadgeState;
  readonly label: string;
  /** Moves often: shown, but not announced to screen readers. */
  readonly detail: string;
}

export interface BadgeFacts {
  readonly link: LinkState | null;
  readonly replay: ReplayClock | null;
  readonly hours: MarketHours | null;
  /** Close of the newest bar of any symbol, seconds since the epoch. */
  readonly newest: number | null;
  /** When the last bar came in, and the time now: milliseconds since the epoch. */
  readonly arrivedAt: number | null;
  readonly now: number;
  readonly times: ExchangeTimes;
  /** The market's date, written out. */
  readonly date: string;
}

/** How long the outcome of a reconnection is told. */
const TELL = 8000;

/** Say in a word how far what is on the screen can be trusted to be now. */
export function badgeOf(facts: BadgeFacts): Badge {
  const { link, replay, newest, arrivedAt, now, times, date } = facts;
  if (link === null || link.phase === 'connecting') return { state: 'connecting', label: 'Connecting', detail: '' };
  if (link.phase === 'retrying') {
    return { state: 'reconnecting', label: 'Reconnecting', detail: `attempt ${link.attempt}` };
  }
  if (link.phase === 'silent') {
    return { state: 'silent', label: 'Silent', detail: `no word for ${Math.max(1, Math.ceil((now - link.since) / 1000))} s` };
  }
  if (link.recovered !== null && now - link.since < TELL) {
    const count = link.recovered === 1 ? '1 bar' : `${link.recovered} bars`;
    return { state: 'recovered', label: 'Live again', detail: link.recovered > 0 ? `${count} recovered` : 'nothing missed' };
  }
  if (link.source !== 'live') {
    return { state: 'stale', label: 'Stale', detail: 'the event log is away' };
  }
  if (replay === null) return ofExchange(facts);
  if (replay.finished) return { state: 'finished', label: 'Replay finished', detail: date };
  if (!replay.running) return { state: 'held', label: 'Replay paused', detail: date };
  const patience = Math.max(20_000, replay.seconds_per_session * 8000);
  if (newest !== null && sessionsAfter(newest, replay) * replay.seconds_per_session * 1000 > patience) {
    return { state: 'stale', label: 'Stale', detail: `no bar since ${times.day(newest)}` };
  }
  const waiting = now - Math.max(arrivedAt ?? 0, link.since);
  if (waiting > patience) {
    return { state: 'stale', label: 'Stale', detail: `no bar for ${Math.round(waiting / 1000)} s` };
  }
  return { state: 'replaying', label: 'Live replay', detail: date };
}

/** About so many sessions have closed since a moment. */
function sessionsAfter(moment: number, replay: ReplayClock): number {
  return ((secondsOf(replay.now) - moment) / 86_400) * (5 / 7);
}

/**
 * Without the hours of an exchange nothing says that its market is live, nor that this is no replay.
 * A real market's bars are behind once a whole session is missing: vendors give the day's bar some time after its close.
 */
function ofExchange({ hours, newest, times }: BadgeFacts): Badge {
  if (hours === null) return { state: 'unknown', label: 'Connected', detail: 'market time unknown' };
  if (newest !== null && newest < secondsOf(hours.close_before)) {
    return { state: 'stale', label: 'Stale', detail: `no bar since ${times.day(newest)}` };
  }
  if (hours.open) return { state: 'live', label: 'Live', detail: '' };
  if (hours.changes_at === null) return { state: 'closed', label: 'Market closed', detail: '' };
  const opens = secondsOf(hours.changes_at);
  return { state: 'closed', label: 'Market closed', detail: `opens ${times.shortDay(opens)}, ${times.clock(opens)}` };
}
