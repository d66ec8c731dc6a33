import type { Offsets } from './api-types';
import type { BarClosed, ForecastIssued } from './events';

interface Coordinates {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly epoch?: string;
}

export type EventMessage =
  | (Coordinates & { readonly type: 'bar'; readonly data: BarClosed })
  | (Coordinates & { readonly type: 'forecast'; readonly data: ForecastIssued });

export interface Hello {
  readonly type: 'hello';
  readonly epochs: Readonly<Record<string, string>>;
  /** Last offset of each partition when the socket opened. */
  readonly positions: Offsets;
  readonly source?: string;
}

export interface Gap {
  readonly type: 'gap';
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

export interface Heartbeat {
  readonly type: 'heartbeat';
  readonly at: string;
  /** `live`, or `starting` or `away` while the gateway cannot read the log. */
  readonly source?: string;
}

export type StreamMessage = EventMessage | Hello | Gap | Heartbeat;

const KNOWN: ReadonlySet<unknown> = new Set(['bar', 'forecast', 'hello', 'gap', 'heartbeat']);

/** The messages of a frame, which carries one or an array of them; types this page does not know are left out. */
export function messagesOf(frame: unknown): readonly StreamMessage[] {
  return (Array.isArray(frame) ? frame : [frame]).filter(isMessage);
}

function isMessage(value: unknown): value is StreamMessage {
  return typeof value === 'object' && value !== null && 'type' in value && KNOWN.has(value.type);
}
