import { describe, expect, it } from 'vitest';
import { readLink, writeLink, type Link } from './link.js';

describe('a link', () => {
  const cases: Link[] = [
    {},
    { model: 'objects' },
    {
      model: 'efficientnet-lite0',
      picture: 'samples/cat.jpg',
      method: 'grad-cam',
      params: { layer: 'block4/add:0 & more', keep: 0.25, steps: 50, flag: true, off: false, one: '1', empty: '' },
      target: 281,
      kind: 'probability',
      seed: 4294967295,
      language: 'fr',
    },
    { params: { tiny: 1e-12, minus: -3 }, seed: 0, target: 0, language: 'en', kind: 'output' },
  ];
  it.each(cases)('comes back as it was written: %j', (link) => {
    expect(readLink(writeLink(link))).toEqual({ link, damaged: [] });
  });

  it('is empty for an empty hash', () => {
    expect(readLink('')).toEqual({ link: {}, damaged: [] });
    expect(readLink('#')).toEqual({ link: {}, damaged: [] });
  });
});

describe('a damaged link', () => {
  it.each([
    ['#v=1&seed=-1&model=objects', ['seed']],
    ['#v=1&seed=4294967296&model=objects', ['seed']],
    ['#v=1&seed=1.5&model=objects', ['seed']],
    ['#v=1&target=cat&model=objects', ['target']],
    ['#v=1&of=entropy&model=objects', ['of']],
    ['#v=1&lang=de&model=objects', ['lang']],
    ['#v=1&p.steps=50&model=objects', ['p.steps']],
    ['#v=1&p.steps=nNaN&model=objects', ['p.steps']],
    ['#v=1&p.steps=n&model=objects', ['p.steps']],
    ['#v=1&p.__proto__=n1&model=objects', ['p.__proto__']],
    ['#v=1&picture=<img>&model=objects', ['picture']],
    ['#v=1&constructor=x&model=objects', ['constructor']],
    ['#v=1&model=objects&model=other', ['model']],
    ['#v=1&nonsense&model=objects', ['nonsense']],
  ])('%s keeps what is sound and names the rest', (hash, damaged) => {
    expect(readLink(hash)).toEqual({ link: { model: 'objects' }, damaged });
  });

  it.each(['#model=objects', '#v=2&model=objects', '#%E0%A4%A', '#🦉', `#${'x'.repeat(100_000)}`])(
    'of another version or none is not used: %.20s',
    (hash) => {
      const { link, damaged } = readLink(hash);
      expect(link).toEqual({});
      expect(damaged).toContain('v');
    },
  );
});
