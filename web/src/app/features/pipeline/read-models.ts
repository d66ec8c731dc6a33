import type { ReadModelProgress } from '../../core/api/api-types';

/** One read model over all its partitions. */
export interface ReadModel {
  readonly name: string;
  readonly topics: readonly string[];
  readonly partitions: number;
  /** Events behind the log; null while Kafka does not answer. */
  readonly lag: number | null;
  readonly applied: number;
  readonly fenced: number;
  readonly dead: number;
  /** When it last wrote, RFC 3339. */
  readonly updatedAt: string | null;
}

/** Add the partitions of each read model up, by name. */
export function readModels(progress: readonly ReadModelProgress[]): readonly ReadModel[] {
  const names = [...new Set(progress.map(({ name }) => name))].sort();
  return names.map((name) => {
    const own = progress.filter((line) => line.name === name);
    const sum = (of: (line: ReadModelProgress) => number): number => own.reduce((total, line) => total + of(line), 0);
    const updates = own.flatMap(({ updated_at }) => (updated_at === null ? [] : [updated_at])).sort();
    return {
      name,
      topics: [...new Set(own.map(({ topic }) => topic))].sort(),
      partitions: own.length,
      lag: own.some(({ lag }) => lag === null) ? null : sum(({ lag }) => lag ?? 0),
      applied: sum(({ applied }) => applied),
      fenced: sum(({ fenced }) => fenced),
      dead: sum(({ dead }) => dead),
      updatedAt: updates.at(-1) ?? null,
    };
  });
}

/** `4 s ago`, from milliseconds; an age below a second is `just now`. */
export function ago(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 1) return 'just now';
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} days ago`;
}
