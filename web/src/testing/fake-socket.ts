import type { SocketSettings } from '../app/core/stream/resuming-socket';

/** A WebSocket without a network: the test is the gateway. */
export class FakeSocket {
  static opened: FakeSocket[] = [];

  static get last(): FakeSocket {
    const socket = FakeSocket.opened.at(-1);
    if (socket === undefined) throw new Error('no socket was opened');
    return socket;
  }

  static reset(): void {
    FakeSocket.opened = [];
  }

  readonly sent: unknown[] = [];
  readyState = 0;
  closed = false;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  onclose: ((event: { wasClean: boolean; code: number }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.opened.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.closed = true;
    this.readyState = 3;
  }

  accept(): void {
    this.readyState = 1;
    this.onopen?.(new Event('open'));
  }

  say(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  end(wasClean: boolean): void {
    this.readyState = 3;
    this.onclose?.({ wasClean, code: wasClean ? 1000 : 1006 });
  }
}

/** As the class that rxjs is given in place of the browser's. */
export const FAKE_SOCKET = FakeSocket as unknown as SocketSettings['constructor'];
