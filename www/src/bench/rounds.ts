/** Fair timing: several engines in turns, so that a busy machine slows all of them alike. */

/** Times of one engine, milliseconds a pass. */
export interface Timing {
  median: number;
  fastest: number;
  slowest: number;
}

export interface Plan {
  rounds: number;
  /** Passes of one engine in one round. */
  passes: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[half] ?? Number.NaN) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}

/** Runs each of `engines` in turn, `plan.rounds` times; the order turns round every time. Warms each up first. */
export async function inTurns<K extends string>(
  engines: Readonly<Record<K, () => unknown>>,
  plan: Plan,
  now: () => number,
  breathe: () => Promise<void>,
): Promise<Record<K, Timing>> {
  const names = Object.keys(engines) as K[];
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<K, number[]>;
  for (const name of names) for (let k = 0; k < 2; k++) await engines[name]();
  for (let round = 0; round < plan.rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      await breathe();
      const from = now();
      for (let k = 0; k < plan.passes; k++) await engines[name]();
      times[name].push((now() - from) / plan.passes);
    }
  }
  const timing = (all: number[]): Timing => ({
    median: median(all),
    fastest: Math.min(...all),
    slowest: Math.max(...all),
  });
  return Object.fromEntries(names.map((name) => [name, timing(times[name])])) as Record<K, Timing>;
}
