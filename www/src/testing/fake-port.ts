/** An engine for unit tests: answers at once by a table, records what it was asked, and can be held or made to fail. */
import type { EnginePort } from '../engine-work.js';
import type { Estimate, Reply, Request, WireEntry } from '../protocol.gen.js';
import { CATALOGUE, CARD, PROVENANCE } from './fixtures.js';

type Kind = Request['kind'];
type Answer = { reply: Reply; beside: ArrayBufferView[] };
type Options = Parameters<EnginePort['call']>[1];

export class FakePort implements EnginePort {
  readonly workers = 2;
  readonly asked: Parameters<EnginePort['call']>[0][] = [];
  /** Errors to reject with, by kind of request. */
  readonly failing = new Map<Kind, Error>();
  /** Kinds that wait until they are aborted. */
  readonly held = new Set<Kind>();
  /** Holds every kind of `held` from the request after so many of it. */
  free = 0;

  readonly call: EnginePort['call'] = async (request, options) => {
    this.asked.push(request);
    const failure = this.failing.get(request.kind);
    if (failure) throw failure;
    const before = this.asked.filter((r) => r.kind === request.kind).length - 1;
    if (this.held.has(request.kind) && before >= this.free) await aborted(options);
    options?.signal?.throwIfAborted();
    return this.#answer(request, options);
  };

  /** Kinds asked so far. */
  kinds(): Kind[] {
    return this.asked.map((r) => r.kind);
  }

  #answer(request: Parameters<EnginePort['call']>[0], options: Options): Answer {
    switch (request.kind) {
      case 'catalogue':
        return { reply: { kind: 'catalogue', ...CATALOGUE }, beside: [] };
      case 'inspect':
        return { reply: { kind: 'inspected', ...INSPECTED }, beside: [] };
      case 'load-model':
        return { reply: loaded(request.card.id, request.labels), beside: [] };
      case 'load-picture':
        return { reply: { kind: 'picture-loaded' }, beside: [] };
      case 'prepare':
        return { reply: { kind: 'prepared', width: 2, height: 2, crop: [0, 0, 2, 2] }, beside: [new Uint8Array(16)] };
      case 'predict': {
        return { reply: { kind: 'predicted', classes: CLASSES }, beside: [] };
      }
      case 'estimate':
        return { reply: { kind: 'estimated', of: request.of.map(estimate) }, beside: [] };
      case 'attribute': {
        options?.onPartial?.([1, 2, 2], new Float32Array(4));
        options?.onProgress?.({ done: 1, total: 2, secondsLeft: 1 });
        const { method: of, target, seed } = request;
        const reply = { shape: [1, 2, 2], signed: true, layer: null, completenessGap: null };
        const provenance = { ...PROVENANCE, of, target, seed };
        return { reply: { kind: 'attributed', ...reply, provenance }, beside: [Float32Array.of(1, 0, -1, 0)] };
      }
      case 'evaluate': {
        const { metric: of, removal, target } = request;
        const provenance = { ...PROVENANCE, of, removal, target };
        return { reply: { kind: 'evaluated', score: 0.5, undefined: null, curves: [], provenance }, beside: [] };
      }
      case 'visualise': {
        const reply = { width: 1, height: 1, objective: [0, 1], provenance: PROVENANCE };
        return { reply: { kind: 'visualised', ...reply }, beside: [new Uint8Array(4)] };
      }
      case 'impute':
        return {
          reply: { kind: 'imputed', width: 2, height: 2, classes: request.answer ? CLASSES : [] },
          beside: [new Uint8Array(16)],
        };
      case 'load-network':
        return { reply: { kind: 'network-loaded' }, beside: [] };
      case 'choose-device': {
        const why = request.prefer === 'cpu' ? null : { code: 'gpu-none', message: 'none here' };
        return { reply: { kind: 'device-chosen', gpu: null, why }, beside: [] };
      }
      case 'load-features':
        return { reply: { kind: 'features-loaded' }, beside: [] };
      case 'gauge': {
        const { removal, draws } = request;
        const gauges = [
          { id: 'psnr', value: 20, undefined: null },
          { id: 'diversity', value: null, undefined: 'one filling' },
        ];
        const provenance = { ...PROVENANCE, of: { id: 'gauge', params: { draws } }, removal };
        const reply = { width: 2, height: 2, answers: CLASSES, original: CLASSES, gauges, provenance };
        return { reply: { kind: 'gauged', ...reply }, beside: [new Uint8Array(16)] };
      }
      case 'segment':
        return { reply: { kind: 'segmented', count: 2 }, beside: [Float32Array.of(0, 0, 1, 1)] };
    }
  }
}

const CLASSES = [1, 0].map((k) => ({ class: k, label: `class ${k}`, logit: k, probability: 0.3 + 0.4 * k }));

/** Refuses steps below 1, as the registry's range says; else ten passes forward. */
function estimate({ entry }: WireEntry): Estimate {
  const bad = Number(entry.params['steps'] ?? 1) < 1;
  const error = { code: 'parameter', message: 'steps: 0 is not between 1 and 100', place: 'steps', hint: '' };
  return { forward: bad ? 0 : 10, backward: 0, refusal: bad ? error : null };
}

const INSPECTED = {
  card: { ...CARD, id: 'net', name: 'net' },
  reasons: [],
  inputs: [],
  outputs: ['y'],
  opset: 17,
  nodes: 3,
};

function loaded(id: string, labels: string[]): Reply {
  const model = { id, name: id, sha256: '', classes: 2, labels, head: 'logits', layers: [], gradientError: null };
  return { kind: 'model-loaded', ...model, dims: [3, 64, 64], defaultLayer: null };
}

function aborted(options: Options): Promise<never> {
  return new Promise((_, reject) => {
    options?.signal?.addEventListener('abort', () => reject(new DOMException('cancelled', 'AbortError')));
  });
}
