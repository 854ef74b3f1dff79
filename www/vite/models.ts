import { existsSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import type { Connect, Plugin } from 'vite';

/** One bundled model of `models.json`, as far as the build looks into it. */
interface Entry {
  card: { id: string; file: string; sample: { file: string; mask: string | null }[] };
  path: string;
}

/** Networks that imputers and criteria run; one that is not there is left out, and with it what needs it. */
const NETWORKS = ['inpainter', 'sampler', 'detector'];
/** What the features of a model are like on ordinary pictures, beside its card where it was measured. */
const FEATURES = 'features.npy';

/** The files of a site beside its code: `models.json`, `extras.json` and what they name, by their path in the site. */
export interface ModelFiles {
  /** Paths, in the order of loading. */
  paths: string[];
  read(path: string): Buffer;
}

/** Reads the index, `models/models.json`. */
export function modelFiles(www: string): ModelFiles {
  const index = join(www, '../models/models.json');
  const open = (file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch {
      throw new Error(`${file} is missing: \`cargo xtask gen models\` writes the index`);
    }
  };
  const models = JSON.parse(open(index).toString()) as Entry[];
  const paths = ['models.json'];
  for (const { card, path } of models) {
    const names = [card.file, ...card.sample.flatMap((s) => (s.mask === null ? [s.file] : [s.file, s.mask]))];
    paths.push(...names.map((name) => `${path}/${name}`));
  }
  const here = (path: string) => existsSync(join(www, '..', path));
  const extras = {
    networks: NETWORKS.map((id) => ({ id, path: `models/${id}/${id}.onnx` })).filter(({ path }) => here(path)),
    features: models
      .map(({ card, path }) => ({ model: card.id, path: `${path}/${FEATURES}` }))
      .filter(({ path }) => here(path)),
  };
  paths.push('extras.json', ...[...extras.networks, ...extras.features].map(({ path }) => path));
  const made: Readonly<Record<string, () => Buffer>> = {
    'models.json': () => open(index),
    'extras.json': () => Buffer.from(JSON.stringify(extras)),
  };
  return { paths, read: (path) => made[path]?.() ?? open(join(www, '..', path)) };
}

/** Emits the model files into the output, and serves them in development. */
export function modelsPlugin(www: string): Plugin {
  return {
    name: 'lucarne-models',
    generateBundle() {
      const files = modelFiles(www);
      for (const path of files.paths) this.emitFile({ type: 'asset', fileName: path, source: files.read(path) });
    },
    configureServer(server) {
      const serve: Connect.NextHandleFunction = (request, response, next) => {
        const path = normalize(decodeURIComponent((request.url ?? '').split(/[?#]/)[0] ?? '')).replace(/^\/+/, '');
        const files = modelFiles(www);
        if (files.paths.includes(path)) response.end(files.read(path));
        else next();
      };
      server.middlewares.use(serve);
    },
  };
}
