import type { BarMessage, ForecastMessage, GapMessage, HeartbeatMessage, HelloMessage } from '../api/socket-types';

export type EventMessage = BarMessage | ForecastMessage;

/** What this page hears; what it asks goes by REST. */
export type StreamMessage = EventMessage | HelloMessage | GapMessage | HeartbeatMessage;

const KNOWN: ReadonlySet<unknown> = new Set(['bar', 'forecast', 'hello', 'gap', 'heartbeat']);

/** The messages of a frame, which carries one or an array of them; types this page does not know are left out. */
export function messagesOf(frame: unknown): readonly StreamMessage[] {
  return (Array.isArray(frame) ? frame : [frame]).filter(isMessage);
}

function isMessage(value: unknown): value is StreamMessage {
  return typeof value === 'object' && value !== null && 'type' in value && KNOWN.has(value.type);
}
