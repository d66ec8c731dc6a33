import { HttpErrorResponse } from '@angular/common/http';

/** What went wrong, in words for a person, and what to do next. */
export interface Problem {
  readonly kind: 'training' | 'refused' | 'unknown' | 'away' | 'missing' | 'failed';
  readonly title: string;
  readonly detail: string;
  readonly nextStep: string;
  /** Seconds the server asked to wait, if it did. */
  readonly retryAfter: number | null;
  /** Whether no answer came at all. */
  readonly unreachable?: true;
}

/** No model serves yet: no failure, but something to wait for or to start. */
export function noModel(detail: string, retryAfter: number | null = null): Problem {
  return {
    kind: 'training',
    title: 'No model serves yet',
    detail,
    nextStep: 'A first training takes some minutes: foretick status shows it. Where none runs, foretick train starts one.',
    retryAfter,
  };
}

/** Turn whatever a request failed with into a `Problem`; reads RFC 9457 bodies and FastAPI's own 422 form. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof HttpErrorResponse)) {
    return {
      kind: 'failed',
      title: 'Something went wrong on this page',
      detail: error instanceof Error ? error.message : String(error),
      nextStep: 'Reload the page; if it happens again, report it with this text.',
      retryAfter: null,
    };
  }
  const detail = detailOf(error.error);
  const retryAfter = secondsOf(error.headers.get('Retry-After'));
  if (error.status === 0) {
    return {
      kind: 'away',
      title: 'The gateway cannot be reached',
      detail: detail || 'No answer came back.',
      nextStep: 'Check that Foretick is running (foretick status). All comes back by itself.',
      retryAfter,
      unreachable: true,
    };
  }
  if (error.status === 503) {
    const said = detail || 'It does not answer now.';
    if (typeOf(error.error) === 'urn:foretick:problem:no-model') return noModel(said, retryAfter);
    return {
      kind: 'away',
      title: 'A part of Foretick is away',
      detail: said,
      nextStep: `Nothing is lost. Try again${retryAfter === null ? '' : ` in ${retryAfter} s`}; foretick status shows what is away.`,
      retryAfter,
    };
  }
  if (error.status === 401 || error.status === 403) {
    return {
      kind: 'unknown',
      title: error.status === 401 ? 'This gateway wants a token' : 'This token does not allow it',
      detail: detail || `The gateway answered ${error.status}.`,
      nextStep: 'Sign in with a token; foretick token new makes one.',
      retryAfter,
    };
  }
  if (error.status === 404) {
    return {
      kind: 'missing',
      title: 'Nothing found',
      detail: detail || 'The gateway knows nothing under this name.',
      nextStep: 'Choose another symbol.',
      retryAfter,
    };
  }
  if (error.status === 422 || error.status === 400 || error.status === 429) {
    return {
      kind: 'refused',
      title: error.status === 429 ? 'Too many requests' : 'The request was refused',
      detail: detail || `The gateway answered ${error.status}.`,
      nextStep: error.status === 429 ? 'Wait a moment and try again.' : 'Change the request and try again.',
      retryAfter,
    };
  }
  return {
    kind: 'failed',
    title: `The gateway failed (${error.status})`,
    detail: detail || error.message,
    nextStep: 'Try again; the reason is in the log (foretick logs gateway).',
    retryAfter,
  };
}

function detailOf(body: unknown): string {
  if (typeof body !== 'object' || body === null) return '';
  const { detail, title } = body as { detail?: unknown; title?: unknown };
  if (typeof detail === 'string') return detail;
  if (Array.isArray(detail)) return detail.map(fieldErrorOf).filter(Boolean).join('; ');
  return typeof title === 'string' ? title : '';
}

function typeOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'type' in body ? body.type : null;
}

function fieldErrorOf(item: unknown): string {
  if (typeof item !== 'object' || item === null) return '';
  const { loc, msg } = item as { loc?: unknown; msg?: unknown };
  const where = Array.isArray(loc) ? loc.filter((part) => part !== 'body').join('.') : '';
  return typeof msg === 'string' ? (where ? `${where}: ${msg}` : msg) : '';
}

function secondsOf(header: string | null): number | null {
  const seconds = Number(header ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}
