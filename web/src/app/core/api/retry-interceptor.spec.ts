import { HttpErrorResponse, type HttpEvent, HttpHeaders, HttpRequest, HttpResponse } from '@angular/common/http';
import { TestBed } from '@angular/core/testing';
import { defer, NEVER, of, type Subscription, throwError } from 'rxjs';

import { retryReads } from './retry-interceptor';
import { Troubles } from './troubles';

const READ = new HttpRequest('GET', 'api/symbols');
const ANSWER = new HttpResponse({ body: 'symbols' });

/** A server that refuses so many times before it answers; tells how often it was asked, and what its asker heard. */
class Server {
  asked = 0;
  readonly heard: unknown[] = [];

  constructor(
    private readonly refusals: number,
    private readonly status: number,
    private readonly headers: Record<string, string> = {},
  ) {}

  ask(request: HttpRequest<unknown>): Subscription {
    const next = () => defer(() => (++this.asked <= this.refusals ? throwError(() => this.refused()) : of<HttpEvent<unknown>>(ANSWER)));
    return TestBed.runInInjectionContext(() => retryReads(request, next)).subscribe({
      next: (event) => this.heard.push(event),
      error: (error: unknown) => this.heard.push(error),
    });
  }

  private refused(): HttpErrorResponse {
    return new HttpErrorResponse({ status: this.status, headers: new HttpHeaders(this.headers) });
  }
}

describe('asking again', () => {
  let troubles: Troubles;

  beforeEach(() => {
    vi.useFakeTimers();
    troubles = TestBed.inject(Troubles);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('a read waits for a server that is away, and longer each time up to five seconds', () => {
    const away = new Server(5, 503);
    away.ask(READ);
    const waits = [2000, 3000, 4000, 5000, 5000].map((wait) => {
      expect(troubles.of('api/symbols')).toMatchObject({ problem: { kind: 'away' }, againAt: Date.now() + wait });
      vi.advanceTimersByTime(wait);
      return away.asked;
    });
    expect(waits).toEqual([2, 3, 4, 5, 6]);
    expect(away.heard).toEqual([ANSWER]);
    expect(troubles.gravest()).toBeNull();
  });

  it('takes a gateway that does not answer for one that is away', () => {
    const hung = TestBed.runInInjectionContext(() => retryReads(READ, () => NEVER)).subscribe();
    vi.advanceTimersByTime(19_999);
    expect(troubles.gravest()).toBeNull();
    vi.advanceTimersByTime(1);
    expect(troubles.gravest()?.problem).toMatchObject({ kind: 'away', unreachable: true, detail: 'No answer came within 20 s.' });
    hung.unsubscribe();
  });

  it('waits as long as the server asks for, a busy one, too', () => {
    const busy = new Server(1, 429, { 'Retry-After': '9' });
    busy.ask(READ);
    expect(troubles.againAt()).toBe(Date.now() + 9000);
    vi.advanceTimersByTime(9000);
    expect(busy.heard).toEqual([ANSWER]);
  });

  it('asks at once when told to, and when something else was answered', () => {
    const [first, second] = [new Server(2, 0), new Server(2, 503, { 'Retry-After': '60' })];
    first.ask(READ);
    second.ask(new HttpRequest('GET', 'api/models'));
    troubles.tryNow();
    expect([first.asked, second.asked]).toEqual([2, 2]);
    vi.advanceTimersByTime(3000);
    expect([first.asked, second.asked]).toEqual([3, 3]);
    expect(troubles.gravest()).toBeNull();
  });

  it('tells nothing any more of what nobody waits for', () => {
    new Server(99, 0).ask(READ).unsubscribe();
    expect(troubles.gravest()).toBeNull();
  });

  it('what was refused for itself is told at once', () => {
    const refusing = new Server(1, 404);
    refusing.ask(READ);
    expect(refusing.heard).toMatchObject([{ status: 404 }]);
    expect(troubles.gravest()).toBeNull();
  });

  it('whom the gateway does not know is told so, without a countdown', () => {
    new Server(1, 401).ask(READ);
    expect(troubles.gravest()).toMatchObject({ problem: { kind: 'unknown' }, againAt: null });
    new Server(0, 200).ask(READ);
    expect(troubles.gravest()).toBeNull();
  });

  it('a prediction is not asked for twice', () => {
    const away = new Server(1, 503);
    away.ask(new HttpRequest('POST', 'predict', {}));
    expect(away.heard).toMatchObject([{ status: 503 }]);
    expect([away.asked, troubles.gravest()]).toEqual([1, null]);
  });
});
