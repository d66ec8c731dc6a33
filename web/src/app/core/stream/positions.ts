import type { Offsets } from '../api/api-types';

/** Where one stream stands: the last offset seen per partition, and since which offset nothing is missing. */
export class Positions {
  private readonly seen = new Map<string, Map<string, number>>();
  private readonly since = new Map<string, Map<string, number>>();
  private epochs: Readonly<Record<string, string>> = {};

  /** Start where snapshots end; of several, the earliest position per partition counts. */
  constructor(snapshots: readonly Offsets[] = []) {
    for (const [topic, partition, next] of snapshots.flatMap(entriesOf)) {
      const known = this.since.get(topic)?.get(partition);
      if (known !== undefined && known <= next) continue;
      put(this.since, topic, partition, next);
      put(this.seen, topic, partition, next - 1);
    }
  }

  /** Note a message; false if it was seen before. */
  admit(topic: string, partition: number, offset: number): boolean {
    const key = String(partition);
    const last = this.seen.get(topic)?.get(key);
    if (last !== undefined && offset <= last) return false;
    if (last === undefined) put(this.since, topic, key, offset);
    put(this.seen, topic, key, offset);
    return true;
  }

  /** Note a hole up to `to`, inclusive: only a snapshot that reaches beyond it is complete again. */
  skip(topic: string, partition: number, to: number): void {
    const key = String(partition);
    put(this.since, topic, key, to + 1);
    put(this.seen, topic, key, Math.max(to, this.seen.get(topic)?.get(key) ?? -1));
  }

  /** Whether a snapshot and what streamed since leave no hole between them. */
  covers(snapshot: Offsets): boolean {
    for (const [topic, partitions] of this.since) {
      const next = snapshot[topic];
      if (next === undefined) continue;
      for (const [partition, from] of partitions) if ((next[partition] ?? 0) < from) return false;
    }
    return true;
  }

  /** Take over the epochs of a hello; true if a topic was made again, which voids all offsets. */
  adopt(epochs: Readonly<Record<string, string>>): boolean {
    const remade = Object.entries(epochs).some(([topic, epoch]) => (this.epochs[topic] ?? epoch) !== epoch);
    this.epochs = { ...this.epochs, ...epochs };
    if (remade) {
      this.seen.clear();
      this.since.clear();
    }
    return remade;
  }

  /** The first message of a socket. */
  resume(): { type: 'resume'; positions: Offsets; epochs: Readonly<Record<string, string>> } {
    const positions = Object.fromEntries(
      [...this.seen].map(([topic, partitions]) => [topic, Object.fromEntries(partitions)]),
    );
    return { type: 'resume', positions, epochs: this.epochs };
  }
}

function entriesOf(offsets: Offsets): [topic: string, partition: string, offset: number][] {
  return Object.entries(offsets).flatMap(([topic, partitions]) =>
    Object.entries(partitions).map(([partition, offset]): [string, string, number] => [topic, partition, offset]),
  );
}

function put(into: Map<string, Map<string, number>>, topic: string, partition: string, offset: number): void {
  const partitions = into.get(topic) ?? new Map<string, number>();
  partitions.set(partition, offset);
  into.set(topic, partitions);
}
