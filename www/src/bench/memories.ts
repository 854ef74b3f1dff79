/**
 * Sees every WebAssembly memory that code of this realm makes or gets, whoever made it. Imported before that code.
 * A memory only grows, so that its size is its peak.
 */
const seen = new Set<WebAssembly.Memory>();

/** Bytes of the memories that came up since `before`, together. */
export function memoryOf(before: ReadonlySet<WebAssembly.Memory>): number {
  return [...seen].filter((m) => !before.has(m)).reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}

/** The memories there are now, for a later `memoryOf`. */
export function memoriesNow(): ReadonlySet<WebAssembly.Memory> {
  return new Set(seen);
}

const note = (values: object): void => {
  for (const value of Object.values(values)) if (value instanceof WebAssembly.Memory) seen.add(value);
};

/** Notes the memories among the imports, and among the exports of what comes out. */
function instance(made: WebAssembly.Instance, imports: WebAssembly.Imports | undefined): void {
  for (const module of Object.values(imports ?? {})) note(module);
  note(made.exports);
}

type Instantiate = (code: unknown, imports?: WebAssembly.Imports) => Promise<unknown>;

for (const name of ['instantiate', 'instantiateStreaming'] as const) {
  const original = WebAssembly[name] as Instantiate;
  const noting: Instantiate = async (code, imports) => {
    const made = await original.call(WebAssembly, code, imports);
    const whole = made as WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource;
    instance('instance' in whole ? whole.instance : whole, imports);
    return made;
  };
  Object.defineProperty(WebAssembly, name, { value: noting, writable: true, configurable: true });
}

const Original = WebAssembly.Instance;
// A proxy, so that `instanceof` holds for instances that were made otherwise.
const watched = new Proxy(Original, {
  construct(target, [module, imports]: [WebAssembly.Module, WebAssembly.Imports | undefined]) {
    const made = new target(module, imports);
    instance(made, imports);
    return made;
  },
});
Object.defineProperty(WebAssembly, 'Instance', { value: watched, writable: true, configurable: true });
