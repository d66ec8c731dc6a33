import type { Subscription } from 'rxjs';

import { FAKE_SOCKET, FakeSocket } from '../../../testing/fake-socket';
import { barClosed } from '../../../testing/samples';
import { Positions } from './positions';
import { type TopicRemade, ResumingSocket } from './resuming-socket';
import type { StreamMessage } from './stream-messages';

const hello = (last: number, epoch = 'a') => ({
  type: 'hello',
  epochs: { 'stock-data': epoch },
  positions: { 'stock-data': { '0': last } },
  source: 'live',
});
const message = (offset: number) => ({ type: 'bar', topic: 'stock-data', partition: 0, offset, data: barClosed(offset) });

describe('ResumingSocket', () => {
  let socket: ResumingSocket;
  let subscription: Subscription;
  let received: (StreamMessage | TopicRemade)[];

  const offsets = () => received.flatMap((one) => (one.type === 'bar' ? [one.offset] : []));

  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.reset();
    received = [];
    socket = new ResumingSocket({
      url: () => 'ws://127.0.0.1/live',
      positions: new Positions([{ 'stock-data': { '0': 5 } }]),
      quiet: 5800,
      silence: 15_000,
      constructor: FAKE_SOCKET,
      random: () => 1,
    });
    subscription = socket.messages.subscribe((one) => received.push(one));
  });

  afterEach(() => {
    subscription.unsubscribe();
    vi.useRealTimers();
  });

  it('says where it stands as its first message', () => {
    FakeSocket.last.accept();
    expect(FakeSocket.last.sent).toEqual([{ type: 'resume', positions: { 'stock-data': { '0': 4 } }, epochs: {} }]);
  });

  it('reads frames of one message and of many, each message once', () => {
    FakeSocket.last.accept();
    FakeSocket.last.say(hello(4));
    FakeSocket.last.say(message(5));
    FakeSocket.last.say([message(5), message(6), message(7)]);
    expect(offsets()).toEqual([5, 6, 7]);
    expect(socket.link()).toMatchObject({ phase: 'open', attempt: 0, recovered: null });
  });

  it.each([true, false])('comes back after the gateway hangs up (cleanly: %s) from the last offset seen', (clean) => {
    FakeSocket.last.accept();
    FakeSocket.last.say([hello(4), message(5), message(6)]);
    FakeSocket.last.end(clean);
    expect(socket.link()).toMatchObject({ phase: 'retrying', attempt: 1 });
    vi.advanceTimersByTime(500);
    expect(FakeSocket.opened).toHaveLength(2);
    FakeSocket.last.accept();
    expect(FakeSocket.last.sent).toMatchObject([{ positions: { 'stock-data': { '0': 6 } }, epochs: { 'stock-data': 'a' } }]);
  });

  it('counts what it missed and got back, but not what came live after', () => {
    FakeSocket.last.accept();
    FakeSocket.last.say([hello(4), message(5)]);
    FakeSocket.last.end(false);
    vi.advanceTimersByTime(500);
    FakeSocket.last.accept();
    FakeSocket.last.say([hello(8), message(6), message(7), message(8), message(9)]);
    expect(socket.link()).toMatchObject({ phase: 'open', recovered: 3 });
    expect(offsets()).toEqual([5, 6, 7, 8, 9]);
  });

  it('takes silence for a dead socket and waits longer each time', () => {
    FakeSocket.last.accept();
    FakeSocket.last.say(hello(4));
    vi.advanceTimersByTime(10_000);
    FakeSocket.last.say({ type: 'heartbeat', at: 'now', source: 'live' });
    vi.advanceTimersByTime(14_000);
    expect(socket.link().phase).toBe('silent');
    expect(FakeSocket.opened).toHaveLength(1);
    vi.advanceTimersByTime(1000);
    expect(socket.link()).toMatchObject({ phase: 'retrying', attempt: 1 });
    vi.advanceTimersByTime(500);
    FakeSocket.last.end(false);
    expect(socket.link().attempt).toBe(2);
    vi.advanceTimersByTime(999);
    expect(FakeSocket.opened).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.opened).toHaveLength(3);
  });

  it('tells of silence within six seconds, and no more once a word comes', () => {
    FakeSocket.last.accept();
    FakeSocket.last.say(hello(4));
    const heard = Date.now();
    vi.advanceTimersByTime(5700);
    expect(socket.link().phase).toBe('open');
    vi.advanceTimersByTime(300);
    expect(socket.link()).toMatchObject({ phase: 'silent', since: heard });
    FakeSocket.last.say({ type: 'heartbeat', at: 'now', source: 'live' });
    expect(socket.link()).toMatchObject({ phase: 'open', recovered: null });
    expect(FakeSocket.opened).toHaveLength(1);
  });

  it('waits three seconds for a word once the browser is offline, and believes one that comes', () => {
    FakeSocket.last.accept();
    FakeSocket.last.say(hello(4));
    window.dispatchEvent(new Event('offline'));
    vi.advanceTimersByTime(1000);
    FakeSocket.last.say({ type: 'heartbeat', at: 'now', source: 'live' });
    vi.advanceTimersByTime(3000);
    expect(socket.link().phase).toBe('open');
    FakeSocket.last.say({ type: 'heartbeat', at: 'now', source: 'live' });
    window.dispatchEvent(new Event('offline'));
    vi.advanceTimersByTime(2500);
    expect(socket.link().phase).toBe('open');
    vi.advanceTimersByTime(500);
    expect(socket.link().phase).toBe('silent');
  });

  it('does not count a greeting followed by a hang-up as being back', () => {
    for (const attempt of [1, 2, 3]) {
      FakeSocket.last.accept();
      FakeSocket.last.say(hello(4));
      FakeSocket.last.end(true);
      expect(socket.link().attempt).toBe(attempt);
      vi.advanceTimersByTime(5000);
    }
  });

  it('comes back at once when the network does', () => {
    FakeSocket.last.end(false);
    window.dispatchEvent(new Event('online'));
    expect(FakeSocket.opened).toHaveLength(2);
  });

  it('reports topics made again', () => {
    FakeSocket.last.accept();
    FakeSocket.last.say(hello(4));
    FakeSocket.last.end(false);
    vi.advanceTimersByTime(500);
    FakeSocket.last.accept();
    FakeSocket.last.say([hello(0, 'b'), message(0)]);
    expect(received.map(({ type }) => type)).toEqual(['hello', 'hello', 'remade', 'bar']);
  });

  it('passes gaps on', () => {
    FakeSocket.last.accept();
    FakeSocket.last.say({ type: 'gap', topic: 'stock-data', partition: 0, from: 5, to: 9 });
    FakeSocket.last.say([message(9), message(10)]);
    expect(received[0]).toMatchObject({ type: 'gap', from: 5, to: 9 });
    expect(offsets()).toEqual([10]);
  });

  it('tells when the gateway itself cannot read the log', () => {
    FakeSocket.last.accept();
    FakeSocket.last.say(hello(4));
    FakeSocket.last.say({ type: 'heartbeat', at: 'now', source: 'away' });
    expect(socket.link().source).toBe('away');
    FakeSocket.last.say({ type: 'heartbeat', at: 'now', source: 'live' });
    expect(socket.link().source).toBe('live');
  });

  it('closes the socket when nobody listens any more', () => {
    FakeSocket.last.accept();
    subscription.unsubscribe();
    expect(FakeSocket.last.closed).toBe(true);
  });
});
