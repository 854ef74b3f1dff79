import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Plugin } from 'vite';

import { RELAXED_PROBE } from '../src/engine/probe.ts';
import { withPolicy, type Build } from './csp.ts';

/** Adds the policy to every page of a folder build. */
export function policyPlugin(build: Build): Plugin {
  return {
    name: 'lucarne-policy',
    apply: 'build',
    transformIndexHtml: { order: 'post', handler: (html) => withPolicy(html, build) },
  };
}

/**
 * Gives the service worker the list of files it keeps, each with the hash of its content as it was written, and the
 * module that tells which of the engine's builds is wanted.
 */
export function precachePlugin(): Plugin {
  return {
    name: 'lucarne-precache',
    apply: 'build',
    writeBundle: {
      order: 'post',
      sequential: true,
      handler({ dir = '' }) {
        const list = readdirSync(dir, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .map((path) => [relative(dir, path).replaceAll('\\', '/'), readFileSync(path)] as const)
          .filter(([name]) => name !== 'sw.js' && !/^embed\/|\.map$/.test(name))
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex').slice(0, 12)]);
        const worker = readFileSync(join(dir, 'sw.js'), 'utf8');
        const filled = [
          ['__PRECACHE__', list],
          ['__RELAXED_PROBE__', RELAXED_PROBE],
        ].reduce((text, [place, value]) => {
          if (!text.includes(String(place))) throw new Error(`sw.js has no place for ${String(place)}`);
          return text.replace(String(place), () => JSON.stringify(value));
        }, worker);
        writeFileSync(join(dir, 'sw.js'), filled);
      },
    },
  };
}

/** Tells each chunk the way to the site's root, which depends on the folder that the chunk lands in. */
export function rootPlugin(): Plugin {
  return {
    name: 'lucarne-root',
    apply: 'build',
    renderChunk(code, chunk) {
      const up = '../'.repeat(chunk.fileName.split('/').length - 1) || './';
      return code.includes('__SITE_ROOT__') ? code.replaceAll('__SITE_ROOT__', JSON.stringify(up)) : null;
    },
  };
}

/** `lucarne-playground.js`: the name that embedding pages know, for code whose own name changes with its content. */
export function elementPlugin(): Plugin {
  return {
    name: 'lucarne-element',
    apply: 'build',
    generateBundle(_options, bundle) {
      const entry = Object.values(bundle).find(
        (file) => file.type === 'chunk' && file.isEntry && file.name === 'element',
      );
      if (!entry) throw new Error('the build made no element');
      const source = `export * from './${entry.fileName}';\n`;
      this.emitFile({ type: 'asset', fileName: 'lucarne-playground.js', source });
    },
  };
}
