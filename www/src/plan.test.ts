import { describe, expect, it } from 'vitest';
import { blocked, refusedParam } from './plan.js';
import type { ModelInfo } from './protocol.gen.js';
import { INITIAL, type Cost, type State } from './state.js';
import { method, STEPS } from './testing/fixtures.js';

const refusal = (place: string | null, code = 'parameter'): Cost => ({
  forward: 0,
  backward: 0,
  refusal: { code, message: 'why', place, hint: '' },
});
const model = (gradientError: ModelInfo['gradientError']): ModelInfo => ({
  id: 'm',
  name: '',
  sha256: '',
  dims: [3, 8, 8],
  classes: 2,
  labels: [],
  head: 'logits',
  layers: [],
  defaultLayer: null,
  gradientError,
});
const state = (cost: Cost, gradientError: ModelInfo['gradientError'] = null): State => ({
  ...INITIAL,
  model: model(gradientError),
  costs: { 'method/x': cost },
});

describe('methods that cannot run', () => {
  const fine: Cost = { forward: 1, backward: 0, refusal: null };
  const plain = method('x', 'perturbation', [STEPS]);

  it('need what the network does not give', () => {
    const error = { code: 'gradient-rule', message: 'no', place: null, hint: '' };
    expect(blocked(state(fine, error), method('x', 'gradient'))).toEqual({ why: 'gradient' });
    expect(blocked(state(fine, error), plain)).toBeNull();
    const attention = { ...plain, needs: ['attention'] };
    expect(blocked(state(fine), attention)).toEqual({ why: 'attention' });
    const layer = { name: 'a', op: 'Softmax', shape: [2, 4, 4], reads: [], depth: 1, grid: null, attention: true };
    expect(blocked({ ...state(fine), model: { ...model(null), layers: [layer] } }, attention)).toBeNull();
  });

  it('are told from those with a bad parameter, which the form can mend', () => {
    expect(blocked(state(refusal('steps')), plain)).toBeNull();
    expect(blocked(state(refusal('node_7')), plain)).toEqual({ why: 'refused', message: 'why' });
  });

  it('a refused layer is the layer parameter’s business, whatever layer the engine names', () => {
    const layer = { ...STEPS, name: 'layer', kind: 'layer', default: '' };
    expect(refusedParam([STEPS, layer], refusal('features/7', 'no-layer'))).toBe('layer');
    expect(refusedParam([STEPS], refusal('features/7', 'no-layer'))).toBeNull();
    expect(refusedParam([STEPS], undefined)).toBeNull();
  });
});
