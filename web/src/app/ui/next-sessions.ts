import { type Split, splitFactor } from '../core/market/actions';
import { ageOf } from '../core/market/ages';
import type { Bar } from '../core/market/bars';
import { roleName, type RoleName } from '../core/models/champions';
import { type Fan, scaledFan } from '../core/forecasts/forecasts';

/** What one model says of the next session, set against the close that it was made from. */
export interface NextSession {
  readonly key: string;
  readonly fan: Fan;
  readonly role: RoleName;
  readonly time: number;
  /** The close it was made at, seconds since the epoch; how many sessions ago that is; how many ahead of it `time` is. */
  readonly origin: number;
  readonly age: number;
  readonly ahead: number;
  readonly median: number;
  readonly low80: number;
  readonly high80: number;
  readonly low95: number;
  readonly high95: number;
  /** Width of the 95 % interval as a fraction of the close at the origin; null where that bar is not held. */
  readonly width: number | null;
  /** Median against the close at the origin, as a fraction. */
  readonly move: number | null;
}

/** The first step of each fan that still lies ahead of the last of `bars` (by rising time), in the share terms of that bar. */
export function nextSessions(fans: readonly Fan[], bars: readonly Bar[], splits: readonly Split[] = []): readonly NextSession[] {
  const last = bars.at(-1);
  if (last === undefined) return [];
  return fans.flatMap((spoken) => {
    const fan = scaledFan(spoken, splitFactor(splits, spoken.origin, last.time));
    const step = fan.steps.find(({ time }) => time > last.time);
    if (step === undefined) return [];
    const { median, low80, high80, low95, high95, time } = step;
    const { version, origin } = fan;
    const close = bars.findLast((bar) => bar.time === origin)?.close;
    const measures =
      close === undefined ? { width: null, move: null } : { width: (high95 - low95) / close, move: median / close - 1 };
    const when = { time, origin, age: ageOf(fan, bars), ahead: step.step };
    return [{ key: version, fan, role: roleName(fan), median, low80, high80, low95, high95, ...when, ...measures }];
  });
}

/** The origin that most of what is said of the next session shares: the newest; null where nothing is said. */
export function commonOrigin(rows: readonly NextSession[]): number | null {
  return rows.length === 0 ? null : Math.max(...rows.map(({ origin }) => origin));
}
