/** Unpacking what was packed. */
import { Decompress } from 'fzstd';

/** How a Zstandard frame begins. */
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

type Bytes = Uint8Array<ArrayBuffer>;

/** The stream as it was before gzip packed it. */
export function gunzip(packed: ReadableStream<Bytes>): ReadableStream<Bytes> {
  return packed.pipeThrough(new DecompressionStream('gzip'));
}

/** The stream as it was before Zstandard packed it: by the browser where it can, else by the code that comes along. */
function unzstd(packed: ReadableStream<Bytes>): ReadableStream<Bytes> {
  let native: DecompressionStream | null = null;
  try {
    native = new DecompressionStream('zstd' as CompressionFormat);
  } catch {
    // Most browsers know gzip and deflate alone.
  }
  return packed.pipeThrough(native ?? new TransformStream(zstdDecoder()));
}

/** A frame that ends too early or is damaged is an error of the stream. */
function zstdDecoder(): Transformer<Bytes, Bytes> {
  let to: TransformStreamDefaultController<Bytes>;
  let ended = false;
  const decoder = new Decompress((part, last) => {
    if (part.length > 0) to.enqueue(part as Bytes);
    ended ||= last === true;
  });
  return {
    start(controller: TransformStreamDefaultController<Bytes>) {
      to = controller;
    },
    transform: (part) => void decoder.push(part),
    flush: () => {
      decoder.push(new Uint8Array(), true);
      if (!ended) throw new TypeError('the packed file is cut off');
    },
  };
}

/**
 * The stream of a `.zst` file as it was before it was packed. Some hosts declare such a file as packed on the way, so
 * that the browser has unpacked it already: its first bytes tell.
 */
export async function unpacked(body: ReadableStream<Bytes>): Promise<ReadableStream<Bytes>> {
  const reader = body.getReader();
  const head: Bytes[] = [];
  let [length, done] = [0, false];
  while (length < ZSTD.length && !done) {
    const next = await reader.read();
    done = next.done;
    if (next.value) {
      head.push(next.value);
      length += next.value.length;
    }
  }
  const first = head.flatMap((part) => [...part.subarray(0, ZSTD.length)]);
  const whole = new ReadableStream<Bytes>({
    start: (to) => {
      for (const part of head) to.enqueue(part);
      if (done) to.close();
    },
    pull: async (to) => {
      const next = await reader.read();
      if (next.done) to.close();
      else to.enqueue(next.value);
    },
    cancel: (why) => reader.cancel(why),
  });
  return ZSTD.every((byte, k) => first[k] === byte) ? unzstd(whole) : whole;
}

/** Compiles while the bytes arrive, whatever media type the host gave them. */
export function compileStream(wasm: ReadableStream<Bytes>): Promise<WebAssembly.Module> {
  return WebAssembly.compileStreaming(new Response(wasm, { headers: { 'content-type': 'application/wasm' } }));
}
