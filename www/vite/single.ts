import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin, Rolldown } from 'vite';

import { withPolicy } from './csp.ts';
import { modelFiles } from './models.ts';

const LIMIT = 30e6;

/** Folds the build into one HTML file: code and styles inline, everything else as gzip and base64 in text blocks. */
export function singlePlugin(www: string, output: string): Plugin {
  return {
    name: 'lucarne-single',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const page = bundle['index.html'];
      if (page?.type !== 'asset') throw new Error('the build made no index.html');
      const text = (name: string): string => {
        const file: Rolldown.OutputAsset | Rolldown.OutputChunk | undefined = bundle[name];
        if (!file) throw new Error(`index.html names ${name}, which the build did not make`);
        Reflect.deleteProperty(bundle, name);
        return file.type === 'chunk' ? file.code : Buffer.from(file.source).toString();
      };
      // Functions as replacements: code may hold `$&`.
      let html = Buffer.from(page.source)
        .toString()
        .replace(
          /<link rel="stylesheet"[^>]*href="\.\/([^"]+)"[^>]*>/g,
          (_, name: string) => `<style>${text(name)}</style>`,
        )
        .replace(/<link rel="(?:manifest|modulepreload|icon|apple-touch-icon)"[^>]*href="\.\/[^"]*"[^>]*>\s*/g, '')
        .replace(
          /<script type="module"[^>]*src="\.\/([^"]+)"[^>]*><\/script>/g,
          (_, name: string) =>
            `<script type="module">${text(name).replaceAll(/<(\/script|!--)/gi, '\\x3C$1')}</script>`,
        );
      const left = Object.keys(bundle).filter((name) => name !== 'index.html');
      if (left.length > 0) throw new Error(`not part of the single file: ${left.join(', ')}`);

      const files = modelFiles(www);
      const gzipped = (bytes: Uint8Array) => gzipSync(bytes, { level: 9 });
      const block = (name: string, packed: Buffer) =>
        `<script type="text/plain" id="asset:${name}">${packed.toString('base64')}</script>`;
      const blocks = [
        ...files.paths.map((name) => block(name, gzipped(files.read(name)))),
        block('lucarne.wasm', gzipped(readFileSync(join(www, 'src/engine/wasm/lucarne.wasm')))),
      ];
      html = withPolicy(html, 'single').replace('</body>', () => `${blocks.join('\n')}\n</body>`);
      if (html.length > LIMIT) throw new Error(`the single file has ${html.length} bytes, more than ${LIMIT}`);
      Reflect.deleteProperty(bundle, 'index.html');
      this.emitFile({ type: 'asset', fileName: output, source: html });
    },
  };
}
