import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

/** A running server; `requests` lists the paths asked for. */
export interface Served {
  url: string;
  requests: string[];
  close(): Promise<void>;
}

/**
 * Serves `folder` under `prefix` on loopback, as a plain static host: no special header. `plain` knows no WebAssembly
 * and sends it, and models, as `application/octet-stream`.
 */
export async function serve(folder: string, { prefix = '/', plain = false } = {}): Promise<Served> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    requests.push(path);
    const name = path.startsWith(prefix) ? normalize(path.slice(prefix.length)) : '..';
    let file = join(folder, name);
    if (!name.startsWith('..') && existsSync(file) && statSync(file).isDirectory()) file = join(file, 'index.html');
    if (name.startsWith('..') || !existsSync(file)) {
      response.writeHead(404).end('not here');
      return;
    }
    const type = plain && extname(file) === '.wasm' ? undefined : TYPES[extname(file)];
    response.writeHead(200, { 'content-type': type ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${prefix}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
