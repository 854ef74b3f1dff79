import { expect, it } from 'vitest';

import { memoriesNow, memoryOf } from './memories.js';

/** A module that exports a memory of one page. */
const ONE = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 0x6d, 2, 0]);
const PAGE = 65536;

it('sees memories however their instance is made, and as they grow', async () => {
  const before = memoriesNow();
  const module = new WebAssembly.Module(ONE);
  const made = new WebAssembly.Instance(module);
  expect(made).toBeInstanceOf(WebAssembly.Instance);
  expect(memoryOf(before)).toBe(PAGE);
  const later = memoriesNow();
  expect(await WebAssembly.instantiate(module)).toBeInstanceOf(WebAssembly.Instance);
  await WebAssembly.instantiate(ONE);
  (made.exports['m'] as WebAssembly.Memory).grow(2);
  expect(memoryOf(before)).toBe(5 * PAGE);
  expect(memoryOf(later)).toBe(2 * PAGE);
});

it('sees memories that are handed in', async () => {
  // (import "e" "m" (memory 1))
  const taking = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 2, 8, 1, 1, 0x65, 1, 0x6d, 2, 0, 1]);
  const before = memoriesNow();
  await WebAssembly.instantiate(taking, { e: { m: new WebAssembly.Memory({ initial: 3 }) } });
  expect(memoryOf(before)).toBe(3 * PAGE);
});
