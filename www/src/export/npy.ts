/** NumPy's `.npy` format, version 1.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). */

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];
const ALIGN = 64;

/** Bytes of a C-ordered little-endian float32 array. */
export function npy(shape: readonly number[], values: Float32Array): Uint8Array<ArrayBuffer> {
  const count = shape.reduce((a, b) => a * b, 1);
  if (count !== values.length) throw new RangeError(`${values.length} values do not fill the shape ${shape.join('×')}`);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const bare = MAGIC.length + 2 + dict.length + 1;
  const padding = (ALIGN - (bare % ALIGN)) % ALIGN;
  const header = `${dict}${' '.repeat(padding)}\n`;
  const start = MAGIC.length + 2 + header.length;
  const out = new Uint8Array(start + values.length * 4);
  const view = new DataView(out.buffer);
  out.set(MAGIC);
  view.setUint16(MAGIC.length, header.length, true);
  out.set(new TextEncoder().encode(header), MAGIC.length + 2);
  values.forEach((v, i) => {
    view.setFloat32(start + i * 4, v, true);
  });
  return out;
}
