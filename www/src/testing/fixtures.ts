/** Small values of the protocol's types, for unit tests. */
import type { Catalogue, MethodEntry, MetricEntry, ModelCard, Provenance, WireParam } from '../protocol.gen.js';

export const STEPS: WireParam = {
  name: 'steps',
  kind: 'integer',
  min: 1,
  max: 100,
  choices: [],
  default: 10,
  doc: 'How many.',
};

export function method(id: string, family: string, params: WireParam[] = []): MethodEntry {
  const says = { name: id.toUpperCase(), summary: '', caution: '', reference: '' };
  const needs = family === 'gradient' ? ['gradient'] : [];
  const flags = { signed: true, needs, axioms: [], stochastic: false };
  return { id, family, params, ...says, ...flags };
}

function metric(id: string, direction: string, imputer: string): MetricEntry {
  const says = { name: id.toUpperCase(), category: 'faithfulness', range: '', summary: '', caution: '', reference: '' };
  return {
    id,
    direction,
    params: [STEPS],
    sensitive: [],
    needs: ['imputer'],
    imputer,
    stochastic: false,
    ...says,
  };
}

export const CATALOGUE: Catalogue = {
  methods: [method('gradient', 'gradient', [STEPS]), method('occlusion', 'perturbation'), method('random', 'control')],
  metrics: [metric('insertion', 'higher', 'gaussian-blur'), metric('deletion', 'lower', 'constant')],
  imputers: ['constant', 'gaussian-blur'].map((id) => ({
    id,
    name: id.toUpperCase(),
    summary: '',
    reference: '',
    stochastic: false,
    needsKept: false,
    params: [],
  })),
  criteria: [],
  visualisation: [],
};

export const CARD: ModelCard = {
  id: 'tiny',
  name: 'Tiny',
  summary: '',
  file: 'model.onnx',
  sha256: '',
  bytes: 4,
  labels: '',
  input: { name: 'x', shape: [1, 3, 64, 64], layout: 'nchw' },
  preprocessing: { resize: 'stretch', size: 0, crop: 0, interpolation: 'bilinear', mean: [0, 0, 0], std: [1, 1, 1] },
  output: { name: '', head: 'auto' },
  layers: { default: null, explain: [] },
  source: { package: '', version: '', licence: '', url: '', data: '' },
  sample: [
    { file: 'samples/a.png', mask: null, label: 'a', licence: '', credit: '' },
    { file: 'samples/b.png', mask: null, label: 'b', licence: '', credit: '' },
  ],
};

export const PROVENANCE: Provenance = {
  lucarne: '0.1.0',
  model: 'tiny',
  modelSha256: 'ab',
  inputSha256: 'cd',
  device: 'cpu',
  of: { id: 'gradient', params: {} },
  removal: null,
  target: { class: 1, kind: 'logit' },
  label: 'class 1',
  seed: 0,
  forward: 1,
  backward: 1,
};
