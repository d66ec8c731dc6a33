import { HttpErrorResponse, HttpHeaders, HttpRequest, HttpResponse } from '@angular/common/http';
import { defer, firstValueFrom, of, throwError } from 'rxjs';

import { askAgain } from './ask-again';

const READ = new HttpRequest('GET', 'api/symbols');
const ANSWER = new HttpResponse({ body: 'symbols' });

function refused(status: number): HttpErrorResponse {
  return new HttpErrorResponse({ status, headers: new HttpHeaders({ 'Retry-After': '0' }) });
}

/** A server that refuses so many times before it answers; tells how often it was asked. */
function server(refusals: number, status: number): { asked: number; ask(request: HttpRequest<unknown>): Promise<unknown> } {
  const counted = {
    asked: 0,
    ask: (request: HttpRequest<unknown>) =>
      firstValueFrom(
        askAgain(request, () => defer(() => (++counted.asked <= refusals ? throwError(() => refused(status)) : of(ANSWER)))),
      ),
  };
  return counted;
}

describe('asking again', () => {
  it('a read waits for a server that is away for a moment', async () => {
    const away = server(2, 503);
    expect(await away.ask(READ)).toBe(ANSWER);
    expect(away.asked).toBe(3);
  });

  it('gives up on a server that stays away', async () => {
    const away = server(99, 503);
    await expect(away.ask(READ)).rejects.toMatchObject({ status: 503 });
    expect(away.asked).toBe(5);
  });

  it('what was refused for itself is told at once', async () => {
    const refusing = server(1, 404);
    await expect(refusing.ask(READ)).rejects.toMatchObject({ status: 404 });
    expect(refusing.asked).toBe(1);
  });

  it('a prediction is not asked for twice', async () => {
    const away = server(1, 503);
    await expect(away.ask(new HttpRequest('POST', 'predict', {}))).rejects.toMatchObject({ status: 503 });
    expect(away.asked).toBe(1);
  });
});
