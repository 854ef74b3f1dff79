import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connect, Plugin } from 'vite';

const FILES = ['ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];

/** Copies onnxruntime-web's WebAssembly beside the benchmark, under `ort/`. */
export function onnxruntimePlugin(www: string): Plugin {
  const read = (name: string) => readFileSync(join(www, 'node_modules/onnxruntime-web/dist', name));
  return {
    name: 'lucarne-onnxruntime',
    generateBundle() {
      for (const name of FILES) this.emitFile({ type: 'asset', fileName: `ort/${name}`, source: read(name) });
    },
    configureServer(server) {
      const serve: Connect.NextHandleFunction = (request, response, next) => {
        const name = FILES.find((file) => request.url?.startsWith(`/ort/${file}`));
        if (name === undefined) {
          next();
          return;
        }
        response.setHeader('content-type', name.endsWith('wasm') ? 'application/wasm' : 'text/javascript');
        response.end(read(name));
      };
      server.middlewares.use(serve);
    },
  };
}
