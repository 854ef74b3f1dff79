import { describe, expect, it } from 'vitest';
import { npy } from './npy.js';

/** `numpy.save` of `numpy.array([[[1, -2.5, 0.1]]], dtype='<f4')`, NumPy 2.4.6, as hexadecimal. */
const NUMPY =
  '934e554d5059010076007b276465736372273a20273c6634272c2027666f727472616e5f6f72646572273a2046616c73652c2027736861706527' +
  `3a2028312c20312c2033292c207d${'20'.repeat(55)}0a` +
  '0000803f000020c0cdcccc3d';

const hex = (bytes: Uint8Array) => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');

describe('npy', () => {
  it('writes byte for byte what NumPy writes', () => {
    expect(hex(npy([1, 1, 3], Float32Array.of(1, -2.5, 0.1)))).toBe(NUMPY);
  });

  it.each([[[3]], [[3, 224, 224]], [[1, 1, 1]]])('aligns the values of %j to 64 bytes', (shape) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const bytes = npy(shape, new Float32Array(count));
    const header = new DataView(bytes.buffer).getUint16(8, true);
    expect((10 + header) % 64).toBe(0);
    expect(bytes.length).toBe(10 + header + 4 * count);
    expect(bytes[10 + header - 1]).toBe(0x0a);
  });

  it('writes a tuple of one with its comma', () => {
    expect(new TextDecoder().decode(npy([2], new Float32Array(2)))).toContain("'shape': (2,), }");
  });

  it('keeps values that are not finite and the sign of zero', () => {
    const bytes = npy([4], Float32Array.of(NaN, Infinity, -Infinity, -0));
    const values = new Float32Array(bytes.slice(bytes.length - 16).buffer);
    expect([...values]).toEqual([NaN, Infinity, -Infinity, -0]);
  });

  it('refuses a shape that the values do not fill', () => {
    expect(() => npy([2, 2], new Float32Array(3))).toThrow('2×2');
  });
});
