/** Everything the page asks of the engine. One piece of work at a time; a new one ends the one before. */
import { Costs } from './costs.js';
import { EngineWork, type EnginePort } from './engine-work.js';
import { wireError } from './errors.js';
import { reached } from './engine/marks.js';
import { explain, type LoadBaseline } from './explain.js';
import type { Library } from './library.js';
import type { Link, ReadLink } from './link.js';
import { decode, parseLabels, type Decoded } from './picture.js';
import { defaultOf, findImputer, findMethod, fitting, keyOf, removalChoice } from './plan.js';
import type { Reply, WireDevice, WireValue } from './protocol.gen.js';
import { BENCH, mapOf, type Bench } from './removal/bench.js';
import { BenchWork } from './removal/bench-work.js';
import { Scoring } from './score.js';
import { entryOf, type Draft, type ModelEntry, type Picture, type State, type Store } from './state.js';
import { visualise } from './visualise.js';

/** A test that sets this takes a GPU that is a program, slower than the processor. */
const SOFTWARE = 'lucarneTakesSoftwareGpu';

/** The picture that methods compare with. */
const BASELINE_KEY = 'baseline';

type Wanted =
  { readonly sample: string; readonly ahead?: Promise<Decoded> } | { readonly file: Blob; readonly name: string };

export class Controller {
  readonly library: Library;
  readonly #store: Store;
  readonly #work: EngineWork;
  readonly #scoring: Scoring;
  /** The removal bench's runs. */
  readonly bench: BenchWork;
  readonly #costs: Costs;
  /** The engine's key of the one picture that is looked at. */
  readonly #key: string;
  #wanted: Wanted | null = null;
  #ownCount = 0;

  constructor(store: Store, library: Library, start: () => Promise<EnginePort>, key = 'picture') {
    this.#key = key;
    this.#store = store;
    this.library = library;
    this.#work = new EngineWork(store, start);
    this.#costs = new Costs(store, this.#work.call);
    this.#scoring = new Scoring(store, this.#work, key, library, this.#baseline);
    this.bench = new BenchWork(store, this.#work, key);
  }

  /** Another controller of the same engine and library, for a state of its own; `key` names its picture. */
  sibling(store: Store, key: string): Controller {
    return new Controller(store, this.library, () => this.#work.port(), key);
  }

  get #state(): State {
    return this.#store.state;
  }

  /** Starts the engine and shows what the link names, or the first sample of the first network. */
  async start({ link, damaged }: ReadLink): Promise<void> {
    const models = await this.#guard(() => this.library.models());
    if (!models) return;
    this.#store.dispatch({ type: 'models', models });
    const entry = models.find((m) => m.card.id === link.model) ?? models[0];
    if (entry) this.#store.dispatch({ type: 'choose-model', id: entry.card.id });
    const sample = entry?.card.sample.find((s) => s.file === link.picture) ?? entry?.card.sample[0];
    this.#wanted = entry && sample ? { sample: sample.file, ahead: this.#ahead(entry, sample.file) } : null;
    if (!(await this.#work.start())) return;
    reached('engine');
    const gone = this.#apply(link, entry, sample?.file);
    if (damaged.length > 0 || gone.length > 0) this.#reportLink(damaged, gone);
    await this.#refresh('model', link.target);
    await this.#networks();
    await this.chooseDevice(this.#state.device.prefer);
    const all = await this.#guard(() => this.library.everything().then(() => true));
    if (all) this.#store.dispatch({ type: 'offline-ready' });
  }

  /** Gets what the first answer needs while the engine starts: its network, and the picture, which is decoded too. */
  #ahead({ card: { id, file } }: ModelEntry, sample: string): Promise<Decoded> {
    const decoded = this.library.sample(id, sample).then(decode);
    // What fails here is told where it is used.
    for (const early of [decoded, this.library.file(id, file), this.library.features(id)]) early.catch(() => undefined);
    return decoded;
  }

  /** Gives the engine the networks that imputers run, as far as this build has them; without one its imputer is off. */
  async #networks(): Promise<void> {
    const networks = await this.#guard(() =>
      this.library.networks((id, bytes) => this.#work.call({ kind: 'load-network', id }, { beside: [bytes] })),
    );
    if (networks) this.#store.dispatch({ type: 'set', settings: { networks } });
  }

  /** Says where networks run from here on. The first answer does not wait for this: a GPU takes its time to open. */
  async chooseDevice(prefer: WireDevice): Promise<void> {
    const software = SOFTWARE in globalThis;
    const answer = await this.#guard(() => this.#work.call({ kind: 'choose-device', prefer, software }));
    if (answer?.reply.kind !== 'device-chosen') return;
    const { gpu, why } = answer.reply;
    // A pace seen on another device says nothing of this one.
    const moved = gpu !== this.#state.device.gpu;
    this.#store.dispatch({ type: 'set', settings: { device: { prefer, gpu, why }, ...(moved && { pace: null }) } });
  }

  async #guard<T>(body: () => Promise<T>): Promise<T | undefined> {
    try {
      return await body();
    } catch (thrown) {
      this.#work.report('engine', thrown);
      return undefined;
    }
  }

  /** Takes over the link's settings; returns what it names that is not here. */
  #apply(link: Link, entry: ModelEntry | undefined, sample: string | undefined): string[] {
    const gone: string[] = [];
    if (link.model !== undefined && link.model !== entry?.card.id) gone.push(link.model);
    else if (link.picture !== undefined && link.picture !== sample) gone.push(link.picture);
    const method = link.method === undefined ? undefined : findMethod(this.#state, link.method);
    if (link.method !== undefined && !method) gone.push(link.method);
    const params: Record<string, WireValue> = {};
    for (const [name, value] of Object.entries(link.params ?? {})) {
      const param = method?.params.find((p) => p.name === name);
      const fit = param && fitting(param, value);
      if (fit === undefined) gone.push(name);
      else params[name] = fit;
    }
    if (method) this.#store.dispatch({ type: 'params', id: keyOf('method', method.id), params });
    if (link.bench) this.#store.dispatch({ type: 'bench', bench: this.#applyBench(link.bench, gone) });
    const { seed, kind } = link;
    this.#store.dispatch({
      type: 'set',
      settings: {
        ...(method && { method: method.id }),
        ...(seed !== undefined && { seed }),
        ...(kind && { targetKind: kind }),
      },
    });
    return gone;
  }

  /** The bench's settings of a link; what it names that is not here goes to `gone`. */
  #applyBench(wanted: NonNullable<Link['bench']>, gone: string[]): Partial<Bench> {
    const { catalogue } = this.#state;
    const here = (id: string | undefined) => {
      const found = id === undefined || findImputer(catalogue, id) !== undefined;
      if (!found) gone.push(id);
      return found;
    };
    const { fills, filmBy, method, ...rest } = wanted;
    const known = fills?.filter(here);
    if (method !== undefined && !findMethod(this.#state, method)) gone.push(method);
    return {
      ...rest,
      ...(known && known.length > 0 && { fills: known }),
      ...(filmBy !== undefined && here(filmBy) && { filmBy }),
      ...(method !== undefined && findMethod(this.#state, method) && { method }),
    };
  }

  #reportLink(damaged: readonly string[], gone: readonly string[]): void {
    const place = [...damaged, ...gone].join(', ');
    this.#store.dispatch({
      type: 'notice',
      notice: { place: 'link', error: wireError('link-damaged', '', '', place) },
    });
  }

  async chooseModel(id: string): Promise<void> {
    const { picture } = this.#state;
    this.#store.dispatch({ type: 'choose-model', id });
    const first = entryOf(this.#state)?.card.sample[0];
    // A sample belongs to its network; the visitor's own picture stays.
    if (first && (!picture || picture.sample !== null)) this.#wanted = { sample: first.file };
    await this.#refresh('model');
  }

  async chooseSample(file: string): Promise<void> {
    this.#wanted = { sample: file };
    await this.#refresh('picture');
  }

  async openPicture(file: Blob, name: string): Promise<void> {
    this.#wanted = { file, name };
    await this.#refresh('picture');
  }

  /** Brings the engine to the network and picture that are wanted, then asks for its answer. */
  async #refresh(task: 'model' | 'picture', target?: number): Promise<void> {
    this.#scoring.forget();
    await this.#work.run(task, task, async (signal) => {
      if (!this.#state.model) await this.#loadModel(signal);
      if (this.#wanted) await this.#loadPicture(this.#wanted, signal);
      if (this.#state.picture) await this.#predict(signal, target);
    });
    await this.#costs.all();
  }

  async #loadModel(signal: AbortSignal): Promise<void> {
    const entry = entryOf(this.#state);
    if (!entry) return;
    // An own network is kept by the client under its id; only a bundled one is loaded here.
    const bytes = entry.own ? this.#own.get(entry.card.id) : await this.library.file(entry.card.id, entry.card.file);
    if (!bytes) return;
    await this.#loadEntry(entry, bytes, signal);
  }

  readonly #own = new Map<string, Uint8Array<ArrayBuffer>>();

  async #loadEntry(entry: ModelEntry, bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<void> {
    const { reply } = await this.#work.call(
      { kind: 'load-model', card: entry.card, labels: [...entry.labels] },
      { beside: [bytes], signal },
    );
    if (reply.kind !== 'model-loaded') throw unexpected(reply);
    this.#store.dispatch({ type: 'model', model: reply });
    reached('model');
    if (entry.own) return;
    const features = await this.library.features(entry.card.id);
    if (!features) return;
    await this.#work.call({ kind: 'load-features', model: entry.card.id }, { beside: [features], signal });
  }

  async #loadPicture(wanted: Wanted, signal: AbortSignal): Promise<void> {
    const { modelId } = this.#state;
    const blob = 'file' in wanted ? wanted.file : await this.library.sample(modelId, wanted.sample);
    const ahead = 'sample' in wanted ? wanted.ahead : undefined;
    let decoded: Decoded;
    try {
      decoded = await (ahead?.catch(() => decode(blob)) ?? decode(blob));
    } catch {
      this.#wanted = null;
      const name = 'file' in wanted ? wanted.name : wanted.sample;
      const error = wireError('picture-unreadable', '', '', name);
      this.#store.dispatch({ type: 'notice', notice: { place: 'picture', error } });
      return;
    }
    signal.throwIfAborted();
    const { width, height, rgba, reducedFrom } = decoded;
    await this.#work.call({ kind: 'load-picture', picture: this.#key, width, height }, { beside: [rgba], signal });
    const sample = 'sample' in wanted ? wanted.sample : null;
    const label = entryOf(this.#state)?.card.sample.find((s) => s.file === sample)?.label;
    const name = 'file' in wanted ? wanted.name : (label ?? wanted.sample);
    const picture: Picture = { key: this.#key, name, sample, width, height, reducedFrom };
    this.#wanted = null;
    this.#store.dispatch({ type: 'picture', picture });
    reached('picture');
  }

  async #predict(signal: AbortSignal, wanted?: number): Promise<void> {
    const model = this.#state.modelId;
    const subject = { model, picture: this.#key };
    const prepared = await this.#work.call({ kind: 'prepare', ...subject }, { signal });
    const bytes = prepared.beside[0];
    if (prepared.reply.kind !== 'prepared' || !(bytes instanceof Uint8Array)) throw unexpected(prepared.reply);
    const { width, height, crop } = prepared.reply;
    const rgba = new Uint8ClampedArray(bytes);
    this.#store.dispatch({ type: 'prepared', prepared: { width, height, crop, rgba } });
    const started = performance.now();
    const { reply } = await this.#work.call({ kind: 'predict', ...subject, top: 0 }, { signal });
    if (reply.kind !== 'predicted') throw unexpected(reply);
    this.#store.dispatch({ type: 'set', settings: { pace: (performance.now() - started) / 1000 } });
    const known = reply.classes.find((c) => c.class === wanted) ?? reply.classes[0];
    if (known) this.#store.dispatch({ type: 'answer', answer: reply.classes, target: known.class });
    reached('answer');
  }

  /** Looks into a dropped network and opens the form for it. */
  async openNetwork(file: File): Promise<void> {
    await this.#work.run('model', 'model', async (signal) => {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const { reply } = await this.#work.call({ kind: 'inspect', name: file.name }, { beside: [bytes], signal });
      if (reply.kind !== 'inspected') throw unexpected(reply);
      this.#ownCount += 1;
      const card = { ...reply.card, id: `own-${this.#ownCount}`, name: reply.card.name || file.name };
      this.#store.dispatch({ type: 'draft', draft: { bytes, inspected: reply, card, labels: [] } });
    });
  }

  async openLabels(file: File): Promise<void> {
    const { draft } = this.#state;
    if (!draft) return;
    const labels = parseLabels(await file.text());
    this.#store.dispatch({ type: 'draft', draft: { ...draft, labels } });
  }

  /** Loads the network of the form; on failure the form and the network before it stay. */
  async loadDraft(draft: Draft): Promise<void> {
    const { card, labels, bytes } = draft;
    const entry: ModelEntry = { card, labels, own: true };
    const loaded = await this.#work.run('model', 'model', async (signal) => {
      const before = this.#state.modelId;
      await this.#work.call({ kind: 'load-model', card, labels: [...labels] }, { beside: [bytes], signal });
      this.#own.set(card.id, bytes);
      const models = [...this.#state.models.filter((m) => m.card.id !== card.id), entry];
      this.#store.dispatch({ type: 'models', models });
      this.#store.dispatch({ type: 'draft', draft: null });
      this.#store.dispatch({ type: 'choose-model', id: card.id });
      return before;
    });
    if (loaded !== undefined) await this.#refresh('model');
  }

  /** Gives the engine the picture that methods compare with, and says under which key. */
  readonly #baseline: LoadBaseline = async (chosen, signal) => {
    const blob = chosen.file ?? (await this.library.sample(this.#state.modelId, chosen.name));
    const { width, height, rgba } = await decode(blob);
    await this.#work.call({ kind: 'load-picture', picture: BASELINE_KEY, width, height }, { beside: [rgba], signal });
    return BASELINE_KEY;
  };

  async explain(): Promise<void> {
    await explain(this.#store, this.#work, this.#key, undefined, this.#baseline);
  }

  /** Explains with one method after the other, with their own settings, as far as there is room. */
  async explainAll(ids: readonly string[]): Promise<void> {
    for (const id of ids) if (!(await explain(this.#store, this.#work, this.#key, id, this.#baseline))) return;
  }

  /** Runs `then` once the bench's map is there; it is computed first where it is not. */
  async withMap(then: () => Promise<void>): Promise<void> {
    if (!mapOf(this.#state)) await this.explainAll([this.#state.bench.method]);
    if (mapOf(this.#state)) await then();
  }

  /** Asks what the entry `registry/id` would cost as it is set. */
  check(key: string): void {
    void this.#costs.check([key]);
  }

  /** The prepared picture with the pixels of `mask`, one byte each, filled by the removal that is set. */
  async impute(mask: Uint8Array<ArrayBuffer>): Promise<Uint8ClampedArray<ArrayBuffer> | undefined> {
    return this.#work.run('explain', 'explain', async (signal) => {
      const { modelId: model, removal, seed } = this.#state;
      const { reply, beside } = await this.#work.call(
        {
          kind: 'impute',
          model,
          picture: this.#key,
          removal: removalChoice(this.#state, removal),
          answer: false,
          seed,
        },
        { beside: [mask], signal },
      );
      const rgba = beside[0];
      if (reply.kind !== 'imputed' || !(rgba instanceof Uint8Array)) throw unexpected(reply);
      return new Uint8ClampedArray(rgba);
    });
  }

  visualise(): Promise<void> {
    return visualise(this.#store, this.#work);
  }

  score(): Promise<void> {
    return this.#scoring.run();
  }

  cancel(): void {
    this.#work.cancel();
  }

  /** What the link of the present state holds. */
  link(): Link {
    const state = this.#state;
    const entry = entryOf(state);
    const bundled = entry !== undefined && !entry.own;
    const method = findMethod(state);
    const key = keyOf('method', state.method);
    const changed = Object.entries(state.params[key] ?? {}).filter(([name, value]) => {
      const param = method?.params.find((p) => p.name === name);
      return param !== undefined && defaultOf(state, key, param) !== value;
    });
    const params: Record<string, WireValue> = Object.fromEntries(changed);
    const top = state.answer?.[0]?.class;
    return {
      ...(bundled && { model: entry.card.id }),
      ...(bundled && state.picture?.sample && { picture: state.picture.sample }),
      method: state.method,
      ...(changed.length > 0 && { params }),
      ...(state.target !== null && state.target !== top && { target: state.target }),
      ...(state.targetKind !== 'logit' && { kind: state.targetKind }),
      seed: state.seed,
      language: state.language,
      ...(state.page?.registry === 'removal' && { bench: benchLink(state.bench) }),
    };
  }
}

/** The bench's settings that differ from the defaults. What was painted stays here, as the visitor's picture does. */
function benchLink(bench: Bench): NonNullable<Link['bench']> {
  const { source, share, first, method, fills, draws, filmBy, steps, metric } = bench;
  const all = { source, share, first, method, draws, filmBy, steps, metric };
  const changed = Object.entries(all).filter(([name, value]) => BENCH[name as keyof typeof all] !== value);
  return { ...Object.fromEntries(changed), ...(fills.length > 0 && { fills }) };
}

function unexpected(reply: Reply): Error {
  return new Error(`the engine answered ${reply.kind}`);
}
