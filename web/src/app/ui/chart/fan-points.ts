import type { Bar } from '../../core/market/bars';
import type { Fan } from '../../core/forecasts/forecasts';
import { type FanKind, kindOf } from './fan-kinds';

/** One slot of a drawn fan; `time` is a session's close in seconds since the epoch. */
export interface FanPoint {
  readonly time: number;
  readonly low95: number;
  readonly low80: number;
  readonly low50: number;
  readonly median: number;
  readonly high50: number;
  readonly high80: number;
  readonly high95: number;
}

export interface DrawnFan {
  readonly key: string;
  readonly kind: FanKind;
  /** Names the forecast's lineage; null where it was not issued as an event. */
  readonly id: string | null;
  readonly points: readonly FanPoint[];
  /** Drawn faded: newer sessions have closed than it knows. */
  readonly stale: boolean;
}

/** A fan as it is drawn: opening from the close it was made at, where that bar is held. */
export function drawnFan(fan: Fan, bars: readonly Bar[], stale = false): DrawnFan {
  const origin = bars.findLast(({ time }) => time === fan.origin);
  const start = origin === undefined ? [] : [pointAt(fan.origin, origin.close)];
  const steps = fan.steps.map(({ time, low95, low80, low50, median, high50, high80, high95 }) => {
    return { time, low95, low80, low50, median, high50, high80, high95 };
  });
  return { key: `${fan.role}|${fan.version}`, kind: kindOf(fan), id: fan.id, points: [...start, ...steps], stale };
}

/** Slots that fans need after the last bar. */
export function futureSlots(fans: readonly DrawnFan[], lastBar: number): number {
  return new Set(fans.flatMap(({ points }) => points.map(({ time }) => time).filter((time) => time > lastBar))).size;
}

/** The issued fan whose 95 % band holds a price at a time: the one drawn last lies on top. */
export function fanAt(fans: readonly DrawnFan[], time: number, price: number): DrawnFan | undefined {
  return fans.find(
    ({ id, points }) =>
      id !== null && points.slice(1).some((point) => point.time === time && point.low95 <= price && price <= point.high95),
  );
}

export function pointAt(time: number, value: number): FanPoint {
  return { time, low95: value, low80: value, low50: value, median: value, high50: value, high80: value, high95: value };
}
