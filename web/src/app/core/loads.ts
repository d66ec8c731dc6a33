import type { Problem } from './problems';

/** How far something asked for has come. */
export type Load = { readonly status: 'loading' | 'ready' | 'empty' } | { readonly status: 'failed'; readonly problem: Problem };

export const LOADING: Load = { status: 'loading' };
export const READY: Load = { status: 'ready' };
export const EMPTY_LOAD: Load = { status: 'empty' };

export function failed(problem: Problem): Load {
  return { status: 'failed', problem };
}

export function problemIn(load: Load): Problem | null {
  return load.status === 'failed' ? load.problem : null;
}
