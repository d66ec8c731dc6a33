// Generated from contracts/schemas by `foretick contracts generate`. Do not edit.

export type * from './bar-closed';
export type * from './corporate-action-announced';
export type * from './drift-detected';
export type * from './forecast-issued';
export type * from './forecast-scored';
export type * from './model-promoted';
export type * from './moments';
