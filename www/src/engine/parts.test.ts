import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import { capacity } from './capacity.js';
import { TimeLeft } from './eta.js';
import { engineBuild } from './features.js';
import { mayKeepOffline } from './offline.js';
import { fromBase64, unpack } from './source.embedded.js';
import { unpacked } from './unpack.js';

describe('capacity', () => {
  it.each([
    [{ hardwareConcurrency: 1, deviceMemory: 8 }, 1, 'processors'],
    [{ hardwareConcurrency: 2, deviceMemory: 8 }, 1, 'processors'],
    [{ hardwareConcurrency: 8, deviceMemory: 8 }, 7, 'processors'],
    [{ hardwareConcurrency: 8, deviceMemory: 2 }, 2, 'memory'],
    [{ hardwareConcurrency: 8, deviceMemory: 0.5 }, 1, 'memory'],
    [{ hardwareConcurrency: 64, deviceMemory: 32 }, 8, 'most'],
    [{ hardwareConcurrency: 8 }, 4, 'memory'],
    [{}, 1, 'processors'],
  ])('%o gets %i by %s', (machine, engines, limit) => expect(capacity(machine)).toEqual({ engines, limit }));
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

describe('a packed file', () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, k) => (k * k) % 251);
  /** `bytes` by `zstd -19`. */
  const packed = fromBase64(
    'KLUv/aRwEQEALQgAtA8AAQQJEBkkMUBRZHmQqcThBSZJbpW+6RtKe67jH1iT0BRVmN0pcr0PXq8HXLMRbMktjvFbwjCbDXztZdpWz0/MUNFZ3m' +
      'rzgxWkOs1nA5w82X0jxnAcxXUn1oxE+bVzM/C0ekIM06FxQxfowJp2VDQW9dvDrZmHd2ldU0tFQT8/QUVLU11pd4eZrcPb9RY0VHaawOgXQ3Gh' +
      '0wxCerTwM3O1+USM1id1xRxwxiN92TycA2fNOqQVg/Nq3lnRUMxPz1baZe18DZswwlvxji3JbBGzXAevXg+9cindmFUU0JNYH+Oue0ob6b6Vbk' +
      'kmBeHEqZB5ZFFAMSQZEAkEAQEAezkIf26kQByG4A==',
  );
  const arrives = async (...parts: Uint8Array<ArrayBuffer>[]) => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (to) => {
        for (const part of parts) to.enqueue(part);
        to.close();
      },
    });
    return new Uint8Array(await new Response(await unpacked(body)).arrayBuffer());
  };

  it('is unpacked, whole or in pieces, unless the host had it unpacked on the way', async () => {
    expect((await arrives(packed)).join()).toBe(bytes.join());
    expect((await arrives(...Array.from(packed, (byte) => Uint8Array.of(byte)))).join()).toBe(bytes.join());
    expect((await arrives(bytes)).join()).toBe(bytes.join());
    expect(await arrives(Uint8Array.of(7))).toEqual(Uint8Array.of(7));
    expect(await arrives()).toEqual(new Uint8Array());
  });

  it('that is cut off or damaged is an error', async () => {
    for (const length of [4, 30, packed.length - 1]) await expect(arrives(packed.slice(0, length))).rejects.toThrow();
    const damaged = packed.slice();
    damaged.fill(255, 12, 60);
    await expect(arrives(damaged)).rejects.toThrow();
  });
});

describe('the build of the engine', () => {
  it('is the relaxed one where its instruction is known', () => {
    expect(engineBuild(() => true)).toBe('lucarne_relaxed');
    expect(engineBuild(() => false)).toBe('lucarne');
    const forbidden = () => {
      throw new Error('WebAssembly is forbidden');
    };
    expect(engineBuild(forbidden)).toBe('lucarne');
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
