import type { Bar } from '../../core/bars';

/** Bars read from CSV, oldest first, or what is wrong with it. */
export interface CsvHistory {
  readonly bars: readonly Bar[];
  /** What each bar's time was called in the file. */
  readonly stamps: readonly string[];
  /** Whether the file has open, high and low, or closes alone. */
  readonly whole: boolean;
  readonly faults: readonly string[];
}

type Field = 'time' | 'open' | 'high' | 'low' | 'close' | 'volume';

const NAMES: Readonly<Record<Field, readonly string[]>> = {
  time: ['closed_at', 'date', 'ds', 'datetime', 'timestamp', 'time', 'opened_at'],
  open: ['open', 'o'],
  high: ['high', 'h'],
  low: ['low', 'l'],
  close: ['close', 'c', 'y', 'price', 'last'],
  volume: ['volume', 'vol', 'v'],
};
/** Files without a heading: a date and a close, or the usual order of bars. */
const BY_COUNT: Readonly<Record<number, readonly Field[]>> = {
  2: ['time', 'close'],
  5: ['time', 'open', 'high', 'low', 'close'],
  6: ['time', 'open', 'high', 'low', 'close', 'volume'],
};
/** Rows that the gateway takes. */
export const MOST_ROWS = 5000;
const MOST_FAULTS = 5;

/** Read bars from text: columns by name or by their usual order; commas, semicolons or tabs; any order of rows. */
export function historyOf(text: string): CsvHistory {
  const lines = text.split(/\r?\n/).map((line, at) => ({ line: line.trim(), row: at + 1 })).filter(({ line }) => line !== '');
  const first = lines[0];
  if (first === undefined) return failedWith('There is nothing in it: paste or choose a CSV with a date and a close on each row.');
  const separator = [',', ';', '\t'].find((one) => first.line.includes(one)) ?? ',';
  const cells = ({ line }: { readonly line: string }): string[] => line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
  const heading = cells(first);
  const headed = timeOf(heading[0] ?? '') === null || heading.some((name) => NAMES.close.includes(name.toLowerCase()));
  const columns = headed ? named(heading) : ordered(heading.length);
  const [timeAt, closeAt] = [columns.get('time'), columns.get('close')];
  if (timeAt === undefined || closeAt === undefined) {
    return failedWith(`Row ${first.row} names no ${timeAt === undefined ? 'date' : 'close'} column: found ${heading.join(', ')}.`);
  }
  const rows = headed ? lines.slice(1) : lines;
  if (rows.length > MOST_ROWS) return failedWith(`${rows.length} rows are too many: at most ${MOST_ROWS} are taken.`);
  const faults: string[] = [];
  const found = rows.flatMap((line) => {
    const values = cells(line);
    const [stamp, close] = [values[timeAt] ?? '', Number(values[closeAt] ?? NaN)];
    const time = timeOf(stamp);
    if (time === null) faults.push(`Row ${line.row}: “${stamp}” is no date.`);
    if (!(close > 0) || !Number.isFinite(close)) faults.push(`Row ${line.row}: “${values[closeAt] ?? ''}” is no positive price.`);
    const read = (field: Field, otherwise: number): number => {
      const value = Number(values[columns.get(field) ?? -1] ?? NaN);
      return Number.isFinite(value) && value > 0 ? value : otherwise;
    };
    if (time === null || !(close > 0)) return [];
    const [open, volume] = [read('open', close), read('volume', 0)];
    const [high, low] = [Math.max(read('high', close), open, close), Math.min(read('low', close), open, close)];
    return [{ stamp, bar: { time, closedAt: stamp, open, high, low, close, volume, revision: 0 } }];
  });
  found.sort((a, b) => a.bar.time - b.bar.time);
  const double = found.find(({ bar }, at) => at > 0 && found[at - 1]?.bar.time === bar.time);
  if (double !== undefined) faults.push(`${double.stamp} is there twice.`);
  if (faults.length === 0 && found.length < 2) faults.push('A forecast needs at least two rows.');
  return {
    bars: found.map(({ bar }) => bar),
    stamps: found.map(({ stamp }) => stamp),
    whole: columns.has('open') && columns.has('high') && columns.has('low'),
    faults: faults.length > MOST_FAULTS ? [...faults.slice(0, MOST_FAULTS), `and ${faults.length - MOST_FAULTS} more`] : faults,
  };
}

/** Bars as CSV, as this page reads it. */
export function csvOf(bars: readonly Bar[]): string {
  const rows = bars.map(({ closedAt, open, high, low, close, volume }) => [closedAt, open, high, low, close, volume].join(','));
  return ['closed_at,open,high,low,close,volume', ...rows].join('\n');
}

function failedWith(fault: string): CsvHistory {
  return { bars: [], stamps: [], whole: false, faults: [fault] };
}

function named(heading: readonly string[]): ReadonlyMap<Field, number> {
  const names = heading.map((name) => name.toLowerCase());
  const columns = new Map<Field, number>();
  for (const field of Object.keys(NAMES) as Field[]) {
    const name = NAMES[field].find((known) => names.includes(known));
    if (name !== undefined) columns.set(field, names.indexOf(name));
  }
  return columns;
}

function ordered(count: number): ReadonlyMap<Field, number> {
  return new Map((BY_COUNT[count] ?? []).map((field, at) => [field, at]));
}

/** Seconds since the epoch; a time without a zone is UTC, a bare date midnight UTC. */
function timeOf(stamp: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}/.test(stamp)) return null;
  const bare = /^\d{4}-\d{2}-\d{2}$/.test(stamp);
  const zoned = bare || /(Z|[+-]\d{2}:?\d{2})$/i.test(stamp);
  const time = Date.parse(zoned ? stamp : `${stamp.replace(' ', 'T')}Z`);
  return Number.isNaN(time) ? null : Math.round(time / 1000);
}
