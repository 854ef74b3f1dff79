import { describe, expect, it } from 'vitest';
import { findLayers, kindOf, outline } from './outline.js';
import type { LayerInfo } from './protocol.gen.js';

const layer = (name: string, op: string, reads: number[] = [], grid: [number, number] | null = [4, 4]): LayerInfo => ({
  name,
  op,
  shape: [8, ...(grid ?? [])],
  reads,
  depth: 1,
  grid,
  attention: false,
});

const lanes = (layers: LayerInfo[]) => outline(layers).rows.map((r) => r.lane);

describe('outline', () => {
  it('draws a chain as one straight line', () => {
    const chain = ['Conv', 'Relu', 'Conv'].map((op, k) => layer(String(k), op, k === 0 ? [] : [k - 1]));
    expect(lanes(chain)).toEqual([0, 0, 0]);
    expect(outline(chain).lanes).toBe(1);
  });

  it('lets a skip connection run straight while the branch steps aside, and joins them again', () => {
    const block = [
      layer('in', 'Relu', []),
      layer('a', 'Conv', [0]),
      layer('b', 'Conv', [1]),
      layer('+', 'Add', [2, 0]),
    ];
    const { rows, lanes: wide } = outline([...block, layer('out', 'Relu', [3])]);
    expect(rows.map((r) => r.lane)).toEqual([0, 1, 1, 0, 0]);
    expect(wide).toBe(2);
    // The skip passes by both layers of the branch and ends, with the branch, in the sum.
    expect([1, 2].map((k) => rows[k]?.strands.some((s) => s.kind === 'through' && s.from === 0))).toEqual([true, true]);
    expect(rows[3]?.strands.filter((s) => s.kind === 'in').map((s) => s.from)).toEqual([1, 0]);
  });

  it('every connection that starts also ends, whatever the network', () => {
    const dense = Array.from({ length: 14 }, (_, k) =>
      layer(
        String(k),
        'Concat',
        Array.from({ length: k }, (_, i) => i),
      ),
    );
    const { rows, lanes: wide } = outline(dense);
    expect(wide).toBeLessThanOrEqual(8);
    expect(rows.at(-1)?.strands.every((s) => s.kind === 'in')).toBe(true);
    expect(rows[0]?.strands.map((s) => s.kind)).toEqual(['out']);
  });

  it('marks where the size changes', () => {
    const net = [layer('a', 'Conv', [], [9, 9]), layer('b', 'Relu', [0], [9, 9]), layer('c', 'Gemm', [1], null)];
    expect(outline(net).rows.map((r) => r.stage)).toEqual(['9 × 9', null, null]);
  });

  it('tells operators apart and finds layers by any of their words', () => {
    expect(
      ['Conv', 'BatchNormalization', 'LeakyRelu', 'GlobalAveragePool', 'Concat', 'Cast'].map((op) =>
        kindOf(layer('', op)),
      ),
    ).toEqual(['mix', 'norm', 'act', 'pool', 'join', 'other']);
    expect(kindOf({ ...layer('', 'Softmax'), attention: true })).toBe('attention');
    const net = [layer('layer1/conv', 'Conv'), layer('layer2/conv', 'Conv', [0], [16, 2])];
    expect(findLayers(net, '')).toEqual([0, 1]);
    expect(findLayers(net, 'CONV layer2')).toEqual([1]);
    expect(findLayers(net, '16x2')).toEqual([1]);
    expect(findLayers(net, 'pool')).toEqual([]);
  });
});
