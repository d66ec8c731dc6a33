import type { Problem } from './problems';

/** How far something asked for has come. */
export type LoadState = { readonly status: 'loading' | 'ready' | 'empty' } | { readonly status: 'failed'; readonly problem: Problem };

export const LOADING: LoadState = { status: 'loading' };
export const READY: LoadState = { status: 'ready' };
export const EMPTY_LOAD: LoadState = { status: 'empty' };

export function failed(problem: Problem): LoadState {
  return { status: 'failed', problem };
}

export function problemIn(load: LoadState): Problem | null {
  return load.status === 'failed' ? load.problem : null;
}
