interface Sample {
  readonly at: number;
  readonly counts: ReadonlyMap<string, number>;
}

/** Samples kept: at one every 3 s, three minutes. */
const KEPT = 60;
/** Milliseconds over which the rate of now is taken: counts move in steps, one session at a time. */
const WINDOW = 30_000;

/** Rates of things that are counted, from samples of the counts. */
export class Rates {
  constructor(private readonly samples: readonly Sample[] = []) {}

  /** With one sample more, taken at `at` (milliseconds). */
  with(at: number, counts: ReadonlyMap<string, number>): Rates {
    return new Rates([...this.samples.slice(1 - KEPT), { at, counts }]);
  }

  /** How many a second came in the last half minute; null before the second sample. */
  now(name: string): number | null {
    const last = this.samples.at(-1);
    if (last === undefined) return null;
    const first = this.samples.find(({ at, counts }) => at >= last.at - WINDOW && counts.has(name));
    return first === undefined ? null : rate(first, last, name);
  }

  /** Rates from sample to sample, oldest first. */
  history(name: string): readonly number[] {
    return this.samples.slice(1).flatMap((sample, at) => {
      const before = this.samples[at];
      const own = before === undefined ? null : rate(before, sample, name);
      return own === null ? [] : [own];
    });
  }
}

function rate(first: Sample, last: Sample, name: string): number | null {
  const [from, to] = [first.counts.get(name), last.counts.get(name)];
  if (from === undefined || to === undefined || last.at <= first.at) return null;
  return (Math.max(0, to - from) * 1000) / (last.at - first.at);
}
