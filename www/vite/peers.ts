import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, normalize } from 'node:path';
import type { Connect, Plugin } from 'vite';

/** WebAssembly of the engines that the benchmark compares, by the folder in its output. */
const PEERS = {
  'peers/litert': 'node_modules/@litertjs/core/wasm',
  'peers/tensorflow': 'node_modules/@tensorflow/tfjs-backend-wasm/dist',
};
const RUNTIME = /^(litert_wasm(_compat)?_internal\.(js|wasm)|tfjs-backend-wasm(-simd)?\.wasm)$/;

/** Files of the benchmark beside its code, by their path in its output: the peers' runtimes and the networks. */
function benchFiles(www: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const [to, from] of Object.entries(PEERS)) {
    for (const name of readdirSync(join(www, from))) {
      if (RUNTIME.test(name)) files.set(`${to}/${name}`, join(www, from, name));
    }
  }
  const networks = join(www, '../benches/networks');
  if (!existsSync(join(networks, 'networks.json'))) {
    throw new Error('benches/networks is empty: `cargo xtask bench --networks` says how to fill it');
  }
  for (const name of readdirSync(networks)) files.set(`networks/${name}`, join(networks, name));
  return files;
}

/** Puts the peers' runtimes and the networks beside the benchmark, and serves them in development. */
export function peersPlugin(www: string): Plugin {
  return {
    name: 'lucarne-peers',
    generateBundle() {
      for (const [fileName, path] of benchFiles(www)) {
        this.emitFile({ type: 'asset', fileName, source: readFileSync(path) });
      }
    },
    configureServer(server) {
      const serve: Connect.NextHandleFunction = (request, response, next) => {
        const path = normalize(decodeURIComponent((request.url ?? '').split(/[?#]/)[0] ?? '')).replace(/^\/+/, '');
        const file = benchFiles(www).get(path);
        if (file === undefined) next();
        else response.end(readFileSync(file));
      };
      server.middlewares.use(serve);
    },
  };
}
