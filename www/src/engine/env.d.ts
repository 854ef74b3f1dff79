/** Set by the build: the way from this piece of code to the site's root. */
declare const __SITE_ROOT__: string;
/** A file's text, taken in by the build. */
declare module '*.md?raw' {
  const text: string;
  export default text;
}
/** The glue as `cargo xtask wasm` generates it, for checks on a tree where it was not built yet. */
declare module '*/wasm/lucarne.js' {
  type Event = import('../protocol.gen.js').Event;
  export function initSync(options: { module: WebAssembly.Module }): unknown;
  export default function init(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  export type Engine = import('./messages.js').Engine;
  export const Engine: new (emit: (event: Event, beside: ArrayBufferView[]) => void) => import('./messages.js').Engine;
}
