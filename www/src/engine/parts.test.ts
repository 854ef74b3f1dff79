import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import { engines } from './capacity.js';
import { TimeLeft } from './eta.js';
import { mayKeepOffline } from './offline.js';
import { fromBase64, unpack } from './source.embedded.js';

describe('engines', () => {
  it.each([
    [{ hardwareConcurrency: 1, deviceMemory: 8 }, 1],
    [{ hardwareConcurrency: 2, deviceMemory: 8 }, 1],
    [{ hardwareConcurrency: 8, deviceMemory: 8 }, 5],
    [{ hardwareConcurrency: 8, deviceMemory: 2 }, 1],
    [{ hardwareConcurrency: 8, deviceMemory: 0.5 }, 1],
    [{ hardwareConcurrency: 64, deviceMemory: 32 }, 8],
    [{ hardwareConcurrency: 8 }, 4],
    [{}, 1],
  ])('%o gets %i', (machine, count) => expect(engines(machine)).toBe(count));
});

describe('TimeLeft', () => {
  const at = (times: number[]) => {
    const left = new TimeLeft(() => times.shift() ?? Number.NaN);
    return (done: number, total: number) => left.after(done, total);
  };

  it('says nothing before it has seen a quarter of a second of work', () => {
    const after = at([0, 100, 200]);
    expect([after(1, 9), after(2, 9), after(3, 9)]).toEqual([null, null, null]);
  });

  it('goes by the rate since the first report, which set-up does not slow', () => {
    const after = at([5000, 6000, 7000]);
    expect([after(10, 40), after(20, 40), after(30, 40)]).toEqual([null, 2, 1]);
  });

  it('starts anew where a job counts anew, and ends at nothing', () => {
    const after = at([0, 1000, 2000, 3000, 4000]);
    expect([after(1, 3), after(2, 3), after(0, 8), after(2, 8), after(8, 8)]).toEqual([null, 1, null, 3, 0]);
  });
});

describe('embedded bytes', () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, k) => (k * k) % 251);
  const base64 = (data: Uint8Array) => Buffer.from(data).toString('base64');

  it('come back whole, also without fromBase64', () => {
    const native = Object.getOwnPropertyDescriptor(Uint8Array, 'fromBase64');
    if (native) Reflect.deleteProperty(Uint8Array, 'fromBase64');
    expect(fromBase64(base64(bytes))).toEqual(bytes);
    if (native) Object.defineProperty(Uint8Array, 'fromBase64', native);
    expect(fromBase64(base64(bytes))).toEqual(bytes);
  });

  it('are unpacked, and damage is an error', async () => {
    const packed = gzipSync(bytes);
    expect(await unpack(base64(packed))).toEqual(bytes);
    await expect(unpack(base64(packed.subarray(0, 500)))).rejects.toThrow();
  });
});

describe('a service worker', () => {
  const root = new URL('https://example.org/a/lucarne/');
  const page = { href: 'https://example.org/a/lucarne/#m=x', origin: 'https://example.org', secure: true };
  it('runs on the site of its own and nowhere else', () => {
    expect(mayKeepOffline(page, root)).toBe(true);
    expect(mayKeepOffline({ ...page, href: 'https://example.org/course.html' }, root)).toBe(false);
    expect(mayKeepOffline({ ...page, origin: 'null' }, root)).toBe(false);
    expect(mayKeepOffline({ ...page, secure: false }, root)).toBe(false);
    expect(mayKeepOffline(page, null)).toBe(false);
    const file = { href: 'file:///a/index.html', origin: 'null', secure: true };
    expect(mayKeepOffline(file, new URL('file:///a/'))).toBe(false);
  });
});
