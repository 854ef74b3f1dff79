import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Plugin } from 'vite';

import { withPolicy, type Build } from './csp.ts';

const WALK = { recursive: true, withFileTypes: true } as const;

/** Adds the policy to every page of a folder build. */
export function policyPlugin(build: Build): Plugin {
  return {
    name: 'lucarne-policy',
    apply: 'build',
    transformIndexHtml: { order: 'post', handler: (html) => withPolicy(html, build) },
  };
}

/** Puts the icon into the page: browsers ask for a linked one again whenever the address changes. */
export function iconPlugin(www: string): Plugin {
  return {
    name: 'lucarne-icon',
    apply: 'build',
    transformIndexHtml: {
      order: 'pre',
      handler: (html) =>
        html.replace(/(<link rel="icon" href=")\.\/([\w-]+\.svg)"/, (_, start: string, name: string) => {
          const icon = readFileSync(join(www, 'public', name)).toString('base64');
          return `${start}data:image/svg+xml;base64,${icon}"`;
        }),
    },
  };
}

/** Gives the service worker the list of files it keeps, each with the hash of its content. */
export function precachePlugin(): Plugin {
  let publicDir = '';
  return {
    name: 'lucarne-precache',
    enforce: 'post',
    configResolved(config) {
      publicDir = config.publicDir;
    },
    generateBundle(_options, bundle) {
      const worker = bundle['sw.js'];
      if (worker?.type !== 'chunk') throw new Error('the build made no sw.js');
      const files = new Map<string, string | Uint8Array>();
      for (const file of publicDir === '' || !existsSync(publicDir) ? [] : readdirSync(publicDir, WALK)) {
        const path = join(file.parentPath, file.name);
        if (file.isFile()) files.set(relative(publicDir, path).replaceAll('\\', '/'), readFileSync(path));
      }
      for (const file of Object.values(bundle)) {
        if (file !== worker) files.set(file.fileName, file.type === 'chunk' ? file.code : file.source);
      }
      const list = [...files]
        .filter(([name]) => !/^embed\/|\.map$/.test(name))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, source]) => [name, createHash('sha256').update(source).digest('hex').slice(0, 12)]);
      if (!worker.code.includes('__PRECACHE__')) throw new Error('sw.js has no place for the list of files');
      worker.code = worker.code.replace('__PRECACHE__', () => JSON.stringify(list));
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
