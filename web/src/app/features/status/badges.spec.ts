import type { MarketHours, ReplayClock } from '../../core/api/api-types';
import { secondsOf } from '../../core/market/bars';
import { ExchangeTimes } from '../../core/market/exchange-times';
import type { LinkState } from '../../core/stream/resuming-socket';
import { badgeOf, type BadgeFacts } from './badges';

const NOW = 1_000_000;
const link: LinkState = { phase: 'open', attempt: 0, recovered: null, since: 0, source: 'live' };
const replay: ReplayClock = { now: '2012-01-03T21:00:00Z', running: true, seconds_per_session: 2, finished: false };
const times = new ExchangeTimes('America/New_York');
const facts: BadgeFacts = { link, replay, hours: null, newest: null, times, arrivedAt: NOW - 1000, now: NOW, date: '3 Jan 2012' };

const weekend: MarketHours = {
  calendar: 'XNYS',
  open: false,
  last_close: '2012-01-06T21:00:00Z',
  close_before: '2012-01-05T21:00:00Z',
  changes_at: '2012-01-09T14:30:00Z',
};
const exchange: Partial<BadgeFacts> = { replay: null, hours: weekend, newest: secondsOf(weekend.last_close) };

describe('badgeOf', () => {
  it.each<[string, Partial<BadgeFacts>, string, string]>([
    ['no stream yet', { link: null }, 'connecting', ''],
    ['the first connection under way', { link: { ...link, phase: 'connecting' } }, 'connecting', ''],
    ['a market of which nothing is known yet', { replay: null, date: '' }, 'unknown', 'market time unknown'],
    ['a silent gateway', { link: { ...link, phase: 'silent', since: NOW - 6000 } }, 'silent', 'no word for 6 s'],
    ['a real market that is open', { ...exchange, hours: { ...weekend, open: true } }, 'live', ''],
    ['a real market over a weekend', exchange, 'closed', 'opens Mon 9 Jan, 09:30 New York'],
    ['a calendar that ends', { ...exchange, hours: { ...weekend, changes_at: null } }, 'closed', ''],
    ["a vendor that has not the day's bar yet", { ...exchange, newest: secondsOf(weekend.close_before) }, 'closed', 'opens Mon 9 Jan, 09:30 New York'],
    ['a vendor that lacks a whole session', { ...exchange, newest: secondsOf('2012-01-04T21:00:00Z') }, 'stale', 'no bar since Wed 4 Jan 2012'],
    ['a replayed market', {}, 'replaying', '3 Jan 2012'],
    ['a held clock', { replay: { ...replay, running: false } }, 'held', '3 Jan 2012'],
    ['the end of the replay', { replay: { ...replay, running: false, finished: true } }, 'finished', '3 Jan 2012'],
    ['a lost connection', { link: { ...link, phase: 'retrying', attempt: 3 } }, 'reconnecting', 'attempt 3'],
    ['bars missed and recovered', { link: { ...link, recovered: 12, since: NOW - 2000 } }, 'recovered', '12 bars recovered'],
    ['one bar recovered', { link: { ...link, recovered: 1, since: NOW - 2000 } }, 'recovered', '1 bar recovered'],
    ['nothing missed', { link: { ...link, recovered: 0, since: NOW - 2000 } }, 'recovered', 'nothing missed'],
    ['a recovery told long enough', { link: { ...link, recovered: 12, since: NOW - 9000 } }, 'replaying', '3 Jan 2012'],
    ['a gateway that cannot read the log', { link: { ...link, source: 'away' } }, 'stale', 'the event log is away'],
    ['a replay without bars', { arrivedAt: NOW - 42_000 }, 'stale', 'no bar for 42 s'],
    ['a replay that was without bars before the page came', { newest: secondsOf('2011-12-06T21:00:00Z') }, 'stale', 'no bar since Tue 6 Dec 2011'],
    ['a replay some sessions ahead of the bars', { newest: secondsOf('2011-12-27T21:00:00Z') }, 'replaying', '3 Jan 2012'],
    ['a slow replay', { replay: { ...replay, seconds_per_session: 10 }, arrivedAt: NOW - 42_000 }, 'replaying', '3 Jan 2012'],
  ])('for %s', (_situation, changes, state, detail) => {
    expect(badgeOf({ ...facts, ...changes })).toMatchObject({ state, detail });
  });
});
