/** Unpacking what was packed by gzip. */

/** The stream as it was before it was packed. */
export function gunzip(packed: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return packed.pipeThrough(new DecompressionStream('gzip'));
}

/**
 * The stream of a `.gz` file as it was before it was packed. Some hosts declare such a file as packed on the way, so
 * that the browser has unpacked it already: its first byte tells.
 */
export async function unpacked(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const reader = body.getReader();
  const first = await reader.read();
  const whole = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (to) => {
      if (first.done) to.close();
      else to.enqueue(first.value);
    },
    pull: async (to) => {
      const { done, value } = await reader.read();
      if (done) to.close();
      else to.enqueue(value);
    },
    cancel: (why) => reader.cancel(why),
  });
  return first.value?.[0] === 0x1f ? gunzip(whole) : whole;
}

/** Compiles while the bytes arrive, whatever media type the host gave them. */
export function compileStream(wasm: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<WebAssembly.Module> {
  return WebAssembly.compileStreaming(new Response(wasm, { headers: { 'content-type': 'application/wasm' } }));
}
