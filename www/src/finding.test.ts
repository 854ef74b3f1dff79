import { describe, expect, it } from 'vitest';
import { byFamily, search } from './finding.js';

const entries = [
  {
    id: 'integrated-gradients',
    name: 'Integrated gradients',
    summary: 'Adds up gradients on a way.',
    family: 'gradient',
  },
  { id: 'grad-cam', name: 'Grad-CAM', summary: 'Where late features are found.', family: 'cam' },
  { id: 'grad-cam-plus-plus', name: 'Grad-CAM++', summary: 'Weighs gradients by place.', family: 'cam' },
  { id: 'random', name: 'Hasard', summary: 'Le pur hasard : témoin.', family: 'control' },
];
const find = (query: string) =>
  search(entries, query, (e) => ({ name: e.name, all: `${e.id} ${e.summary}` })).map((e) => e.id);

describe('search', () => {
  it('wants every word, of the name, the id or the summary', () => {
    expect(find('gradients place')).toEqual(['grad-cam-plus-plus']);
    expect(find('nothing')).toEqual([]);
    expect(find('  ')).toHaveLength(4);
  });
  it('puts names before summaries', () => {
    expect(find('grad')).toEqual(['grad-cam', 'grad-cam-plus-plus', 'integrated-gradients']);
  });
  it('does without hyphens and accents', () => {
    expect(find('gradcam')).toEqual(['grad-cam', 'grad-cam-plus-plus']);
    expect(find('temoin')).toEqual(['random']);
  });
});

it('families stand in one order, the controls last, new ones before them', () => {
  const mixed = [...entries].reverse().concat({ id: 'x', name: 'X', summary: '', family: 'dreams' });
  expect(byFamily(mixed).map((f) => f.family)).toEqual(['gradient', 'cam', 'dreams', 'control']);
});
