/** What the processor gives one thread of WebAssembly at most: multiply-adds in registers, without memory. */

const CHAINS = 14;
const V128 = 0x7b;
const SIMD = 0xfd;

/** Unsigned LEB128. */
function leb(value: number): number[] {
  const low = value & 0x7f;
  return value < 0x80 ? [low] : [low | 0x80, ...leb(value >>> 7)];
}

const section = (id: number, ...body: number[]): number[] => [id, ...leb(body.length), ...body];
const simd = (op: number): number[] => [SIMD, ...leb(op)];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const f32 = (value: number): number[] => [0x43, ...new Uint8Array(new Float32Array([value]).buffer)];

/**
 * `run(n)`: n times `x[k] = x[k] * a + b` in `CHAINS` vectors of four; gives their sum, so that nothing can be left out.
 * Local 0 counts down; 1 and 2 hold `a` and `b`.
 */
function code(fused: boolean): Uint8Array<ArrayBuffer> {
  const [splat, add, mul, madd, lane] = [0x13, 0xe4, 0xe6, 0x105, 0x1f];
  const chains = Array.from({ length: CHAINS }, (_, k) => 3 + k);
  const step = fused ? simd(madd) : [];
  const body = [
    ...leb(1),
    ...[...leb(2 + CHAINS), V128],
    ...[...f32(0.999), ...simd(splat), ...set(1), ...f32(0.001), ...simd(splat), ...set(2)],
    ...chains.flatMap((k) => [...f32(k / 7), ...simd(splat), ...set(k)]),
    ...[0x03, 0x40],
    ...chains.flatMap((k) =>
      fused
        ? [...get(k), ...get(1), ...get(2), ...step, ...set(k)]
        : [...get(k), ...get(1), ...simd(mul), ...get(2), ...simd(add), ...set(k)],
    ),
    // n - 1, kept and asked for.
    ...[...get(0), 0x41, 0x01, 0x6b, 0x22, 0x00, 0x0d, 0x00, 0x0b],
    ...get(3),
    ...chains.slice(1).flatMap((k) => [...get(k), ...simd(add)]),
    ...[...simd(lane), 0x00, 0x0b],
  ];
  const name = [...new TextEncoder().encode('run')];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, 1, 0x60, 1, 0x7f, 1, 0x7d),
    ...section(3, 1, 0),
    ...section(7, 1, ...leb(name.length), ...name, 0x00, 0),
    ...section(10, 1, ...leb(body.length), ...body),
  ]);
}

/** The loop with plain or with relaxed SIMD, as a function of how often it runs; null where the browser lacks it. */
export function loop(fused: boolean): ((times: number) => number) | null {
  const bytes = code(fused);
  if (!WebAssembly.validate(bytes)) return null;
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports['run'] as (times: number) => number;
}

/** Floating-point operations of one turn of the loop. */
export const OPERATIONS = CHAINS * 4 * 2;

/** GFLOP/s, one value a round: plain SIMD, and fused multiply-add where there is relaxed SIMD. */
export function roofline(rounds: number, now: () => number): { simd: number[]; relaxed: number[] } {
  const loops = { simd: loop(false), relaxed: loop(true) };
  const found: { simd: number[]; relaxed: number[] } = { simd: [], relaxed: [] };
  const times = 4e6;
  for (let round = -1; round < rounds; round++) {
    for (const name of ['simd', 'relaxed'] as const) {
      const run = loops[name];
      if (!run) continue;
      const from = now();
      run(times);
      // The first round only warms up.
      if (round >= 0) found[name].push((OPERATIONS * times) / ((now() - from) * 1e6));
    }
  }
  return found;
}
