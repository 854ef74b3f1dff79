/** Readers of the goldens' files: as much of `.npy` and TOML as they use. */
import { readFileSync } from 'node:fs';

export interface Npy {
  shape: number[];
  values: Float32Array;
}

/** Reads a little-endian float32 or float64 array in C order. */
export function readNpy(file: string | Buffer): Npy {
  const bytes = typeof file === 'string' ? readFileSync(file) : file;
  if (bytes.toString('latin1', 0, 6) !== '\x93NUMPY') throw new Error('not an .npy file');
  const wide = bytes[6] !== 1;
  const start = wide ? 12 : 10;
  const end = start + (wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8));
  const header = bytes.toString('latin1', start, end);
  const type = /'descr': '(<f[48])'/.exec(header)?.[1];
  if (type === undefined || /'fortran_order': True/.test(header)) throw new Error(`unexpected header ${header}`);
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .filter((n) => n.trim() !== '')
    .map(Number);
  const data = bytes.buffer.slice(bytes.byteOffset + end, bytes.byteOffset + bytes.length);
  return { shape, values: type === '<f4' ? new Float32Array(data) : Float32Array.from(new Float64Array(data)) };
}

/** Tables of flat `key = value` lines: strings, numbers and flags. */
export function readToml(file: string): Record<string, Record<string, string | number | boolean>> {
  const tables: Record<string, Record<string, string | number | boolean>> = { '': {} };
  let table = '';
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const head = /^\[([\w.-]+)\]/.exec(line)?.[1];
    if (head !== undefined) tables[(table = head)] = {};
    const pair = /^(?:"([^"]+)"|([\w-]+)) = (?:"(.*)"|([^#"]+))/.exec(line);
    if (!pair) continue;
    const [, quoted, plain, text, other = ''] = pair;
    const value = text ?? (/^(true|false)\s*$/.test(other) ? other.trim() === 'true' : Number(other));
    (tables[table] ??= {})[quoted ?? plain ?? ''] = value;
  }
  return tables;
}
