import { describe, expect, it } from 'vitest';
import { INITIAL, reduce, Store, type Action, type Explained, type Picture, type State } from './state.js';

const explained = (id: number, result: Explained['result'] = null): Explained => ({
  id,
  method: { id: 'gradient', params: {} },
  removal: null,
  target: { class: 1, kind: 'logit' },
  label: 'cat',
  seed: 0,
  map: null,
  result,
  seconds: 0,
});

const after = (actions: Action[], state: State = INITIAL) => actions.reduce(reduce, state);
const picture: Picture = { key: 'picture', name: 'cat', sample: null, width: 2, height: 2, reducedFrom: null };

describe('reduce', () => {
  it.each<Action>([
    { type: 'picture', picture },
    { type: 'choose-model', id: 'objects' },
  ])('forgets answer, maps and scores on $type', (action) => {
    const before = after([
      { type: 'answer', answer: [], target: 3 },
      { type: 'explained', explained: explained(1) },
      { type: 'scores', scores: { columns: [], rows: [], label: '', stopped: null, seconds: 0 } },
    ]);
    expect(reduce(before, action)).toMatchObject({ answer: null, target: null, explained: [], scores: null });
  });

  it('replaces a partial map by the finished one and keeps the order', () => {
    const state = after([1, 2, 1].map((id) => ({ type: 'explained', explained: explained(id) })));
    expect(state.explained.map((e) => e.id)).toEqual([1, 2]);
  });

  it('keeps parameters apart by entry, and forgets one set back to its default', () => {
    const state = after([
      { type: 'param', id: 'method/rise', name: 'samples', value: 7 },
      { type: 'param', id: 'imputer/constant', name: 'value', value: 1 },
      { type: 'param', id: 'method/rise', name: 'samples', value: undefined },
    ]);
    expect(state.params).toEqual({ 'method/rise': {}, 'imputer/constant': { value: 1 } });
  });

  it('shows one notice a place', () => {
    const notice = (message: string): Action => ({
      type: 'notice',
      notice: { place: 'model', error: { code: 'other', message, place: null, hint: '' } },
    });
    const state = after([notice('a'), notice('b')]);
    expect(state.notices.map((n) => n.error.message)).toEqual(['b']);
    expect(reduce(state, { type: 'dismiss', place: 'model' }).notices).toEqual([]);
  });
});

it('a store tells its listeners until they stop', () => {
  const store = new Store();
  const seen: string[] = [];
  const stop = store.subscribe(() => seen.push(store.state.modelId));
  store.dispatch({ type: 'choose-model', id: 'a' });
  stop();
  store.dispatch({ type: 'choose-model', id: 'b' });
  expect(seen).toEqual(['a']);
});
