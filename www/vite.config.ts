import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type PluginOption } from 'vite';

import type { Build } from './vite/csp.ts';
import { modelsPlugin } from './vite/models.ts';
import { peersPlugin } from './vite/peers.ts';
import { elementPlugin, policyPlugin, precachePlugin, rootPlugin } from './vite/site.ts';
import { singlePlugin } from './vite/single.ts';

const www = import.meta.dirname;

/** Entry files of each build, by output name. The element and the embeds come with the site. */
function entries(build: Build): Record<string, string> {
  if (build === 'single') return { index: join(www, 'index.html') };
  if (build === 'bench') return { bench: join(www, 'bench.html') };
  return {
    index: join(www, 'index.html'),
    sw: join(www, 'src/sw.ts'),
    element: join(www, 'src/public/index.ts'),
    'embed-iframe': join(www, 'embed/iframe.html'),
    'embed-element': join(www, 'embed/element.html'),
  };
}

/** Modes: `production` (the site, a plain folder), `single` (one HTML file), `bench` (the benchmark's folder). */
export default defineConfig(({ mode, command }) => {
  const build: Build = mode === 'single' || mode === 'bench' ? mode : 'site';
  if (command === 'build' && !existsSync(join(www, 'src/engine/wasm/lucarne.wasm.zst'))) {
    throw new Error('src/engine/wasm is empty: run `cargo xtask wasm` first');
  }
  const plugins: PluginOption[] = {
    site: [modelsPlugin(www), rootPlugin(), elementPlugin(), policyPlugin('site'), precachePlugin()],
    single: [singlePlugin(www, 'lucarne.html')],
    bench: [peersPlugin(www), rootPlugin(), policyPlugin('bench')],
  }[build];
  return {
    root: www,
    base: './',
    publicDir: build === 'site' ? 'public' : false,
    plugins,
    define: command === 'serve' ? { __SITE_ROOT__: JSON.stringify('/') } : {},
    resolve: {
      alias: {
        '#asset-source': join(www, `src/engine/source.${build === 'single' ? 'embedded' : 'fetched'}.ts`),
      },
    },
    // Classic workers, inlined: module workers from blobs fail on file://.
    worker: { format: 'iife' },
    build: {
      outDir: { site: '../dist/site', single: '../dist', bench: '../dist/bench' }[build],
      emptyOutDir: build !== 'single',
      target: 'es2023',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 2000,
      cssCodeSplit: build !== 'single',
      rolldownOptions: {
        input: entries(build),
        output: {
          ...(build === 'single' && { codeSplitting: false }),
          entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
        },
      },
    },
    // Its WebAssembly is found beside its code only if it is left as it is.
    optimizeDeps: { exclude: ['onnxruntime-web'] },
    server: { host: '127.0.0.1' },
    preview: { host: '127.0.0.1' },
  };
});
