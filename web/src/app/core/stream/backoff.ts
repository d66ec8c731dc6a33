/**
 * Milliseconds to wait before reconnecting for the `attempt`-th time (1 first): doubling from half a second up to ten
 * seconds, of which the upper half is random so that many clients come back spread out.
 */
export function backoff(attempt: number, random: () => number): number {
  const ceiling = Math.min(10_000, 500 * 2 ** (attempt - 1));
  return ceiling / 2 + (ceiling / 2) * random();
}
