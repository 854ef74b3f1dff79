import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import type { Connect, Plugin } from 'vite';

/** One bundled model of `models.json`, as far as the build looks into it. */
interface Entry {
  card: { file: string; sample: { file: string; mask: string | null }[] };
  path: string;
}

/** The files of a site beside its code: `models.json` and what it names, by their path in the site. */
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
  return { paths, read: (path) => open(path === 'models.json' ? index : join(www, '..', path)) };
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
