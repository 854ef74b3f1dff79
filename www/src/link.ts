/**
 * The permanent link: what is shown, as `location.hash`. It holds a bundled model, one of its sample pictures, the
 * method with the parameters that differ from their defaults, the target, the seed and the language. A visitor's own
 * picture or network is never in it.
 */
import type { WireTargetKind, WireValue } from './protocol.gen.js';
import { CURVES, LEAST_SHARE, MOST_DRAWS, MOST_SHARE, SOURCES, STEPS, type Bench } from './removal/bench.js';

export interface Link {
  readonly model?: string;
  readonly picture?: string;
  readonly method?: string;
  readonly params?: Readonly<Record<string, WireValue>>;
  readonly target?: number;
  readonly kind?: WireTargetKind;
  readonly seed?: number;
  readonly language?: 'en' | 'fr';
  /** Settings of the removal bench. */
  readonly bench?: Partial<
    Pick<Bench, 'source' | 'share' | 'first' | 'method' | 'fills' | 'draws' | 'filmBy' | 'steps' | 'metric'>
  >;
}

/** A link as read: what could be used, and the names of the parts that could not. */
export interface ReadLink {
  readonly link: Link;
  readonly damaged: readonly string[];
}

const VERSION = '1';
const KINDS: readonly WireTargetKind[] = ['logit', 'probability', 'output'];
const MAX_SEED = 0xffffffff;

/** Numbers and flags carry a mark, so that the text `1` and the number 1 stay apart. */
function writeValue(value: WireValue): string {
  if (typeof value === 'number') return `n${value}`;
  if (typeof value === 'boolean') return value ? 'b1' : 'b0';
  return `t${value}`;
}

function readValue(text: string): WireValue | undefined {
  const rest = text.slice(1);
  if (text.startsWith('t')) return rest;
  if (text === 'b1' || text === 'b0') return text === 'b1';
  const number = Number(rest);
  return text.startsWith('n') && rest.trim() !== '' && Number.isFinite(number) ? number : undefined;
}

/** The hash, with its `#`. */
export function writeLink(link: Link): string {
  const out = new URLSearchParams({ v: VERSION });
  if (link.model !== undefined) out.set('model', link.model);
  if (link.picture !== undefined) out.set('picture', link.picture);
  if (link.method !== undefined) out.set('method', link.method);
  for (const [name, value] of Object.entries(link.params ?? {})) out.set(`p.${name}`, writeValue(value));
  if (link.target !== undefined) out.set('target', String(link.target));
  if (link.kind !== undefined) out.set('of', link.kind);
  if (link.seed !== undefined) out.set('seed', String(link.seed));
  if (link.language !== undefined) out.set('lang', link.language);
  for (const [name, field] of Object.entries(BENCH_FIELDS)) {
    const value = link.bench?.[field.of];
    if (value !== undefined) out.set(name, Array.isArray(value) ? value.join('+') : String(value));
  }
  return `#${out.toString()}`;
}

function whole(text: string, max: number): number | undefined {
  const number = Number(text);
  return /^\d+$/.test(text) && number <= max ? number : undefined;
}

type Reader = (text: string) => Partial<Link> | undefined;

const named =
  (field: 'model' | 'picture' | 'method', pattern: RegExp): Reader =>
  (text) =>
    pattern.test(text) ? { [field]: text } : undefined;

const READERS: Readonly<Record<string, Reader>> = {
  v: (text) => (text === VERSION ? {} : undefined),
  model: named('model', /^[a-z0-9-]{1,64}$/),
  picture: named('picture', /^[\w./-]{1,200}$/),
  method: named('method', /^[a-z0-9-]{1,64}$/),
  target: (text) => {
    const target = whole(text, 1e6);
    return target === undefined ? undefined : { target };
  },
  of: (text) => {
    const kind = KINDS.find((k) => k === text);
    return kind ? { kind } : undefined;
  },
  seed: (text) => {
    const seed = whole(text, MAX_SEED);
    return seed === undefined ? undefined : { seed };
  },
  lang: (text) => (text === 'en' || text === 'fr' ? { language: text } : undefined),
};

type Settings = NonNullable<Link['bench']>;
interface Field {
  readonly of: keyof Settings;
  readonly read: (text: string) => Settings[keyof Settings];
}

const oneOf =
  <T extends string>(words: readonly T[]): ((text: string) => T | undefined) =>
  (text) =>
    words.find((word) => word === text);
const number =
  (fits: (value: number) => boolean): ((text: string) => number | undefined) =>
  (text) => {
    const value = whole(text, 1000);
    return value !== undefined && fits(value) ? value : undefined;
  };
const id = (text: string) => (/^[a-z0-9-]{1,64}$/.test(text) ? text : undefined);

/** The bench's settings by their names in a link. */
const BENCH_FIELDS: Readonly<Record<string, Field>> = {
  'b.from': { of: 'source', read: oneOf(SOURCES) },
  'b.share': { of: 'share', read: number((v) => v >= LEAST_SHARE && v <= MOST_SHARE) },
  'b.first': { of: 'first', read: oneOf(['most', 'least']) },
  'b.map': { of: 'method', read: id },
  'b.fills': {
    of: 'fills',
    read: (text) => {
      const ids = text.split(/[+ ]/);
      return ids.every((one) => id(one) !== undefined) ? ids : undefined;
    },
  },
  'b.draws': { of: 'draws', read: number((v) => v >= 1 && v <= MOST_DRAWS) },
  'b.film': { of: 'filmBy', read: id },
  'b.steps': { of: 'steps', read: number((v) => STEPS.includes(v)) },
  'b.metric': { of: 'metric', read: oneOf(CURVES) },
};

/** Reads a hash; never throws. Unknown, repeated or malformed parts are named in `damaged` and left out. */
export function readLink(hash: string): ReadLink {
  const text = hash.replace(/^#/, '');
  if (text === '') return { link: {}, damaged: [] };
  let link: Link = {};
  const params: Record<string, WireValue> = {};
  let bench: Settings = {};
  const damaged: string[] = [];
  const seen = new Set<string>();
  for (const [name, raw] of new URLSearchParams(text)) {
    const param = /^p\.([a-z][a-z0-9_-]{0,63})$/.exec(name)?.[1];
    const read = Object.hasOwn(READERS, name) ? READERS[name]?.(raw) : undefined;
    const value = param === undefined ? undefined : readValue(raw);
    const field = Object.hasOwn(BENCH_FIELDS, name) ? BENCH_FIELDS[name] : undefined;
    const setting = field?.read(raw);
    if (seen.has(name)) damaged.push(name);
    else if (param !== undefined && value !== undefined) params[param] = value;
    else if (field && setting !== undefined) bench = { ...bench, [field.of]: setting };
    else if (read) link = { ...link, ...read };
    else damaged.push(name);
    seen.add(name);
  }
  if (!seen.has('v')) damaged.unshift('v');
  if (damaged.includes('v')) return { link: {}, damaged };
  return {
    link: {
      ...link,
      ...(Object.keys(params).length > 0 && { params }),
      ...(Object.keys(bench).length > 0 && { bench }),
    },
    damaged,
  };
}
