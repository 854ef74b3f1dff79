/** Fair timing: several engines in turns, so that a busy machine slows all of them alike. */

export interface Plan {
  rounds: number;
  /** Calls of one engine in one round. */
  passes: number;
}

/** The value below which the share `q` of `values` lies, between two of them where it falls between. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * q;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** How many times as long `theirs` took as `ours`, round by round. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.slice(0, theirs.length).map((own, k) => (theirs[k] ?? Number.NaN) / own);
}

/** Milliseconds that an engine runs before it is timed, at least and at most. */
const WARM = { least: 600, most: 8000 };

/**
 * Runs an engine until it gets no faster: browsers compile what runs often again, beside it, and a call that began before
 * goes on as it was.
 */
export async function warm(run: () => unknown, now: () => number, breathe: () => Promise<void>): Promise<void> {
  const start = now();
  let best = Number.POSITIVE_INFINITY;
  for (let calls = 1; ; calls++) {
    await breathe();
    const from = now();
    await run();
    const [took, spent] = [now() - from, now() - start];
    const faster = took < 0.95 * best;
    best = Math.min(best, took);
    if (spent >= WARM.most || (calls >= 3 && spent >= WARM.least && !faster)) return;
  }
}

/**
 * Runs each of `engines` in turn, `plan.rounds` times; the order turns round every time. Warms each up first.
 * Gives milliseconds a call, one value a round.
 */
export async function inTurns<K extends string>(
  engines: Readonly<Record<K, () => unknown>>,
  plan: Plan,
  now: () => number,
  breathe: () => Promise<void>,
): Promise<Record<K, number[]>> {
  const names = Object.keys(engines) as K[];
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<K, number[]>;
  for (const name of names) await warm(engines[name], now, breathe);
  for (let round = 0; round < plan.rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      await breathe();
      const from = now();
      for (let k = 0; k < plan.passes; k++) await engines[name]();
      times[name].push((now() - from) / plan.passes);
    }
  }
  return times;
}
