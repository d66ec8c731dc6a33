// Generated from contracts/schemas by `foretick contracts generate`. Do not edit.

/** A moment: RFC 3339 in UTC. */
export type Instant = string;

/** A date: ISO 8601, `YYYY-MM-DD`. */
export type CalendarDate = string;
