import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    alias: { '#asset-source': new URL('src/engine/source.fetched.ts', import.meta.url).pathname },
  },
  define: { __SINGLE_FILE__: 'false' },
  test: { include: ['src/**/*.test.ts'] },
});
