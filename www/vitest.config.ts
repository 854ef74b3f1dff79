import { defineConfig } from 'vitest/config';

const file = (path: string) => new URL(path, import.meta.url).pathname;

/** Units run without the engine's WebAssembly: they bring their own engines. */
export default defineConfig({
  resolve: {
    alias: [
      { find: '#asset-source', replacement: file('src/engine/source.embedded.ts') },
      { find: './wasm/lucarne.js', replacement: file('src/engine/fake.ts') },
    ],
  },
  test: { include: ['src/**/*.test.ts'] },
});
