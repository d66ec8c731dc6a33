import { NAIVE } from '../../core/families';
import type { Fan } from '../../core/forecasts';

/** What one model says of the next session, set against the last close. */
export interface NextSession {
  readonly key: string;
  /** Names the forecast's lineage. */
  readonly id: string | null;
  readonly family: string;
  readonly version: string;
  readonly role: 'champion' | 'baseline' | 'challenger' | 'shadow';
  readonly time: number;
  readonly median: number;
  readonly low95: number;
  readonly high95: number;
  /** Width of the 95 % interval as a fraction of the last close. */
  readonly width: number;
  /** Median against the last close, as a fraction. */
  readonly move: number;
}

/** The first step of each fan that still lies ahead of the last bar (`lastTime`, `lastClose`). */
export function nextSessions(fans: readonly Fan[], lastTime: number, lastClose: number): readonly NextSession[] {
  return fans.flatMap((fan) => {
    const step = fan.steps.find(({ time }) => time > lastTime);
    if (step === undefined) return [];
    const { median, low95, high95, time } = step;
    const { family, version } = fan;
    const measures = { width: (high95 - low95) / lastClose, move: median / lastClose - 1 };
    return [{ key: version, id: fan.id, family, version, role: roleOf(fan), time, median, low95, high95, ...measures }];
  });
}

function roleOf({ role, family }: Fan): NextSession['role'] {
  if (role === 'CHAMPION') return 'champion';
  if (role === 'CHALLENGER') return 'challenger';
  return family === NAIVE ? 'baseline' : 'shadow';
}
