import { expect, it } from 'vitest';

import { kinds } from './layers.js';

it('adds layers of one kind, each as often as the network has it', () => {
  const layer = (kind: string, times: number, ms: number) => ({
    layer: 'a',
    kind,
    times,
    ms,
    products: ms / 2,
    memory: ms / 4,
  });
  expect(kinds([layer('pointwise', 2, 1), layer('depthwise', 1, 8), layer('pointwise', 1, 4)])).toEqual([
    { kind: 'pointwise', times: 3, ms: 6, products: 3, memory: 1.5 },
    { kind: 'depthwise', times: 1, ms: 8, products: 4, memory: 2 },
  ]);
});
