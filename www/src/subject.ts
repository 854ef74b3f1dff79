/** What the page's state is made of. */
import type { DivergingId, SequentialId } from './colormap.js';
import type { Reduction } from './maps.js';
import type { Registry } from './i18n/index.js';
import type { Row } from './reading.js';
import type { Column } from './report.js';
import type {
  Attributed,
  Choice,
  Estimate,
  Inspected,
  ModelCard,
  Visualised,
  WireDevice,
  WireError,
  WireNote,
  WireTarget,
  WireTargetKind,
  WireValue,
} from './protocol.gen.js';

/** A network that can be picked: bundled, or the visitor's own. */
export interface ModelEntry {
  readonly card: ModelCard;
  readonly labels: readonly string[];
  readonly own: boolean;
}

export interface Picture {
  readonly key: string;
  readonly name: string;
  /** File of the sample beside its model's card; null for the visitor's own picture. */
  readonly sample: string | null;
  readonly width: number;
  readonly height: number;
  /** Size before it was capped, where it was. */
  readonly reducedFrom: readonly [number, number] | null;
}

/** What the network sees. */
export interface Prepared {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  readonly crop: readonly [number, number, number, number];
}

export interface RawMap {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A picture that methods may compare with: a sample of the network by its file, or an own file. */
export interface Baseline {
  readonly name: string;
  readonly file: Blob | null;
}

/** One explained method. `result` is null while only a partial map is there. */
export interface Explained {
  readonly id: number;
  readonly method: Choice;
  readonly removal: Choice | null;
  readonly target: WireTarget;
  readonly label: string;
  readonly seed: number;
  /** The picture that it is compared with, where the method asks for one. */
  readonly baseline?: Baseline | null;
  readonly map: RawMap | null;
  readonly result: Attributed | null;
  readonly seconds: number;
}

export interface ScoredRow extends Row {
  /** Id of the method. */
  readonly method: string;
  /** Its number among the rows of the same method, where there are several. */
  readonly ordinal: number | null;
  /** The method with every parameter. */
  readonly choice: Choice;
  /** What filled removed pixels, for a method that removes some. */
  readonly removal: Choice | null;
  /** The picture that it is compared with, where the method asks for one. */
  readonly baseline: Baseline | null;
  /** Null until it is computed. */
  readonly map: RawMap | null;
}

export interface Scores {
  readonly columns: readonly Column[];
  readonly rows: readonly ScoredRow[];
  readonly label: string;
  /** Why the run ended early. */
  readonly stopped: 'budget' | 'cancelled' | null;
  readonly seconds: number;
}

/** An own network under inspection. */
export interface Draft {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly inspected: Inspected;
  readonly card: ModelCard;
  readonly labels: readonly string[];
}

export type Place =
  'engine' | 'picture' | 'model' | 'explain' | 'score' | 'visualise' | 'link' | 'fill' | 'film' | 'removers';

export interface Notice {
  readonly place: Place;
  readonly error: WireError;
}

export type Task = 'model' | 'picture' | 'explain' | 'score' | 'visualise' | 'fill' | 'film' | 'removers';

export interface Work {
  readonly task: Task;
  readonly done: number;
  readonly total: number;
  readonly secondsLeft: number | null;
}

export interface View {
  readonly opacity: number;
  readonly reduction: Reduction;
  readonly diverging: DivergingId;
  readonly sequential: SequentialId;
  readonly background: 'grey' | 'colour' | 'none';
  /** Whether each map has a colour scale of its own, or all share the widest. */
  readonly scaling: 'own' | 'shared';
}

/** What a run would cost, or why it is refused. */
export type Cost = Estimate;

/** What networks run on, and what was asked for. */
export interface Device {
  readonly prefer: WireDevice;
  /** The GPU's name; null for the processor. */
  readonly gpu: string | null;
  /** Why it is not a GPU, where one was asked for or would have done. */
  readonly why: WireNote | null;
}

/** A page beside the playground: one entry of a registry, or the list of all. */
export type Page =
  | { readonly registry: Registry; readonly id: string }
  | { readonly registry: 'all' }
  /** Where our metrics differ from the library that the field cites. */
  | { readonly registry: 'departures' }
  /** The removal bench. */
  | { readonly registry: 'removal' }
  /** What the study of removal found. */
  | { readonly registry: 'study' };

export type Params = Readonly<Record<string, WireValue>>;
export type Theme = 'auto' | 'light' | 'dark';

export interface ScorePlan {
  readonly metrics: readonly string[];
  /** Methods that are explained and scored besides the maps that are there. */
  readonly methods: readonly string[];
  /** Imputers that every metric which removes pixels is run with; '' is that of its reference. */
  readonly imputers: readonly string[];
  /** Whether metrics that have two orders are run in both. */
  readonly bothOrders: boolean;
  /** Seconds after which a run ends; 0 for none. */
  readonly budget: number;
  /** Fillings that a score is the mean of, where they are drawn at random. */
  readonly draws: number;
  /** The quantity that the metrics follow; the papers follow the probability. */
  readonly kind: WireTargetKind;
  /** Imputer of each metric, where it is not that of its reference. */
  readonly removal: Readonly<Record<string, string>>;
}

/** A picture that something in the network answers to; without a result it is still being climbed to. */
export interface Visualisation {
  /** The class asked for. */
  readonly label: string;
  readonly seen: Pick<Prepared, 'width' | 'height' | 'rgba'>;
  readonly result: Visualised | null;
}
