/** The page's one state: a plain value, changed only by the actions below, so that every change can be tested. */
import type { ColormapId } from './colormap.js';
import type { Limit } from './engine/capacity.js';
import { BENCH, cleared, type Bench } from './removal/bench.js';
import type { Language } from './i18n/index.js';
import type { Sorting } from './reading.js';
import type { Catalogue, ClassScore, ModelInfo, WireTargetKind, WireValue } from './protocol.gen.js';
import type {
  Baseline,
  Cost,
  Device,
  Draft,
  Explained,
  ModelEntry,
  Notice,
  Page,
  Params,
  Picture,
  Place,
  Prepared,
  ScorePlan,
  Scores,
  Theme,
  View,
  Visualisation,
  Work,
} from './subject.js';

export type * from './subject.js';

export interface State {
  readonly engine: 'starting' | 'ready' | 'failed';
  readonly workers: number;
  /** Why there are not more workers. */
  readonly limit: Limit;
  /** Workers are forbidden here: the engine shares the page's thread. */
  readonly onPage: boolean;
  /** What networks run on. */
  readonly device: Device;
  readonly offline: boolean;
  readonly language: Language;
  readonly theme: Theme;
  readonly catalogue: Catalogue | null;
  readonly models: readonly ModelEntry[];
  readonly modelId: string;
  readonly model: ModelInfo | null;
  readonly draft: Draft | null;
  readonly picture: Picture | null;
  readonly prepared: Prepared | null;
  /** All classes, best first. */
  readonly answer: readonly ClassScore[] | null;
  readonly target: number | null;
  readonly targetKind: WireTargetKind;
  readonly method: string;
  /** Ids of the methods on offer; empty for all. */
  readonly offered: readonly string[];
  /** What the visitor changed of methods, metrics and imputers, by `registry/id`. */
  readonly params: Readonly<Record<string, Params>>;
  readonly removal: string;
  readonly seed: number;
  /** Null for the first other sample. */
  readonly baseline: Baseline | null;
  readonly view: View;
  readonly explained: readonly Explained[];
  readonly visualised: Visualisation | null;
  readonly plan: ScorePlan;
  readonly scores: Scores | null;
  readonly sorting: Sorting;
  readonly work: Work | null;
  readonly notices: readonly Notice[];
  /** What the engine says of entries before they run, by `registry/id`. */
  readonly costs: Readonly<Record<string, Cost>>;
  /** Seconds a forward pass takes on this network here, as last seen. */
  readonly pace: number | null;
  /** The page shown instead of the playground. */
  readonly page: Page | null;
  readonly bench: Bench;
  /** Ids of the networks that imputers run, as far as the engine holds them. */
  readonly networks: readonly string[];
}

export const INITIAL: State = {
  engine: 'starting',
  workers: 0,
  limit: 'processors',
  onPage: false,
  device: { prefer: 'auto', gpu: null, why: null },
  offline: false,
  language: 'en',
  theme: 'auto',
  catalogue: null,
  models: [],
  modelId: '',
  model: null,
  draft: null,
  picture: null,
  prepared: null,
  answer: null,
  target: null,
  targetKind: 'logit',
  method: 'grad-cam',
  offered: [],
  params: {},
  removal: 'constant',
  seed: 0,
  baseline: null,
  view: {
    opacity: 0.8,
    reduction: 'signed',
    diverging: 'blue-orange',
    sequential: 'dusk',
    background: 'grey',
    scaling: 'own',
  },
  explained: [],
  plan: {
    metrics: ['insertion', 'deletion', 'sparseness'],
    methods: [],
    imputers: [''],
    bothOrders: false,
    budget: 120,
    draws: 1,
    kind: 'probability',
    removal: {},
  },
  visualised: null,
  scores: null,
  sorting: { by: '', order: 'descending' },
  work: null,
  notices: [],
  costs: {},
  pace: null,
  page: null,
  bench: BENCH,
  networks: [],
};

/** Plain settings that an action may set directly. */
export type Settings = Pick<
  State,
  | 'language'
  | 'theme'
  | 'offered'
  | 'method'
  | 'removal'
  | 'seed'
  | 'baseline'
  | 'targetKind'
  | 'sorting'
  | 'pace'
  | 'page'
  | 'networks'
  | 'device'
>;

export type Action =
  | { type: 'engine'; engine: State['engine']; workers: number; limit?: Limit; onPage?: boolean }
  | { type: 'offline-ready' }
  | { type: 'catalogue'; catalogue: Catalogue }
  | { type: 'models'; models: readonly ModelEntry[] }
  | { type: 'choose-model'; id: string }
  | { type: 'model'; model: ModelInfo }
  | { type: 'draft'; draft: Draft | null }
  | { type: 'picture'; picture: Picture }
  | { type: 'prepared'; prepared: Prepared }
  | { type: 'answer'; answer: readonly ClassScore[]; target: number }
  | { type: 'target'; target: number }
  | { type: 'set'; settings: Partial<Settings> }
  | { type: 'param'; id: string; name: string; value: WireValue | undefined }
  | { type: 'params'; id: string; params: Params }
  | { type: 'view'; view: Partial<View> }
  | { type: 'explained'; explained: Explained }
  | { type: 'remove-explained'; id: number }
  | { type: 'costs'; costs: Readonly<Record<string, Cost>> }
  | { type: 'visualised'; visualised: Visualisation | null }
  | { type: 'plan'; plan: Partial<ScorePlan> }
  | { type: 'scores'; scores: Scores | null }
  | { type: 'bench'; bench: Partial<Bench> }
  | { type: 'work'; work: Work | null }
  | { type: 'notice'; notice: Notice }
  | { type: 'dismiss'; place: Place };

/** What no longer holds once the model or the picture changed. */
const FORGET = { prepared: null, answer: null, target: null, explained: [], scores: null } as const;

function setParam(params: State['params'], id: string, name: string, value: WireValue | undefined): State['params'] {
  const entries = Object.entries(params[id] ?? {}).filter(([key]) => key !== name);
  if (value !== undefined) entries.push([name, value]);
  return { ...params, [id]: Object.fromEntries(entries) };
}

function upsert(list: readonly Explained[], item: Explained): readonly Explained[] {
  return list.some((e) => e.id === item.id) ? list.map((e) => (e.id === item.id ? item : e)) : [...list, item];
}

export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case 'engine':
      return {
        ...state,
        engine: action.engine,
        workers: action.workers,
        limit: action.limit ?? state.limit,
        onPage: action.onPage ?? state.onPage,
      };
    case 'offline-ready':
      return { ...state, offline: true };
    case 'catalogue':
      return { ...state, catalogue: action.catalogue };
    case 'models':
      return { ...state, models: action.models };
    case 'choose-model':
      return {
        ...state,
        ...FORGET,
        bench: cleared(state.bench),
        visualised: null,
        baseline: null,
        modelId: action.id,
        model: null,
        costs: {},
        pace: null,
      };
    case 'model':
      return { ...state, model: action.model };
    case 'draft':
      return { ...state, draft: action.draft };
    case 'picture':
      return { ...state, ...FORGET, bench: cleared(state.bench), picture: action.picture };
    case 'prepared':
      return { ...state, prepared: action.prepared };
    case 'answer':
      return { ...state, answer: action.answer, target: action.target };
    case 'target':
      return { ...state, target: action.target };
    case 'set':
      return { ...state, ...action.settings };
    case 'param':
      return { ...state, params: setParam(state.params, action.id, action.name, action.value) };
    case 'params':
      return { ...state, params: { ...state.params, [action.id]: action.params } };
    case 'view':
      return { ...state, view: { ...state.view, ...action.view } };
    case 'explained':
      return { ...state, explained: upsert(state.explained, action.explained) };
    case 'remove-explained':
      return { ...state, explained: state.explained.filter((e) => e.id !== action.id) };
    case 'costs':
      return { ...state, costs: { ...state.costs, ...action.costs } };
    case 'visualised':
      return { ...state, visualised: action.visualised };
    case 'plan':
      return { ...state, plan: { ...state.plan, ...action.plan } };
    case 'scores':
      return { ...state, scores: action.scores };
    case 'bench':
      return { ...state, bench: { ...state.bench, ...action.bench } };
    case 'work':
      return { ...state, work: action.work };
    case 'notice':
      return { ...state, notices: [...state.notices.filter((n) => n.place !== action.notice.place), action.notice] };
    case 'dismiss':
      return { ...state, notices: state.notices.filter((n) => n.place !== action.place) };
  }
}

/** Holds the state and tells its listeners. */
export class Store {
  #state: State;
  readonly #listeners = new Set<() => void>();

  constructor(initial: Partial<State> = {}) {
    this.#state = { ...INITIAL, ...initial };
  }

  get state(): State {
    return this.#state;
  }

  dispatch(action: Action): void {
    this.#state = reduce(this.#state, action);
    for (const listener of this.#listeners) listener();
  }

  /** Returns how to stop listening. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The colour map in force. */
export function colormapOf(view: View): ColormapId {
  return view.reduction === 'signed' ? view.diverging : view.sequential;
}

/** The network picked, as listed. */
export function entryOf(state: State): ModelEntry | undefined {
  return state.models.find((m) => m.card.id === state.modelId);
}
