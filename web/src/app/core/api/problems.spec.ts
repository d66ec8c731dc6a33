import { HttpErrorResponse, HttpHeaders } from '@angular/common/http';

import { problemOf } from './problems';

const answer = (status: number, error: unknown, headers: Record<string, string> = {}) =>
  new HttpErrorResponse({ status, error, headers: new HttpHeaders(headers) });

describe('problemOf', () => {
  it('knows a model still in training from a server away', () => {
    const training = problemOf(answer(503, { type: 'urn:foretick:problem:no-model', detail: 'no model is loaded yet' }, { 'Retry-After': '5' }));
    expect(training).toMatchObject({ kind: 'training', title: 'No model serves yet', detail: 'no model is loaded yet', retryAfter: 5 });
    const away = problemOf(answer(503, { type: 'urn:foretick:problem:mongodb-away', detail: 'MongoDB does not answer now.' }, { 'Retry-After': '2' }));
    expect(away).toMatchObject({ kind: 'away', detail: 'MongoDB does not answer now.' });
    expect(away.nextStep).toContain('in 2 s');
  });

  it('tells what a refused request got wrong', () => {
    expect(problemOf(answer(422, { detail: 'horizon: too large' }))).toMatchObject({ kind: 'refused', detail: 'horizon: too large' });
    expect(problemOf(answer(422, { detail: [{ loc: ['body', 'horizon'], msg: 'too large' }] })).detail).toBe('horizon: too large');
  });

  it('speaks of a gateway that does not answer', () => {
    expect(problemOf(answer(0, new ProgressEvent('error')))).toMatchObject({ kind: 'away', title: 'The gateway cannot be reached' });
  });

  it('leads to the page that takes a token', () => {
    expect(problemOf(answer(401, { detail: 'no token' }))).toMatchObject({ kind: 'unknown', title: 'This gateway wants a token' });
    expect(problemOf(answer(403, null)).nextStep).toContain('Sign in');
  });

  it('has a title and a next step for everything else', () => {
    for (const error of [answer(404, null), answer(429, 'x'), answer(500, { title: 'Broken' }), new Error('bug'), 'text']) {
      const problem = problemOf(error);
      expect(problem.title).not.toBe('');
      expect(problem.nextStep).not.toBe('');
    }
    expect(problemOf(answer(500, { title: 'Broken' })).detail).toBe('Broken');
    expect(problemOf(new Error('bug')).detail).toBe('bug');
  });
});
