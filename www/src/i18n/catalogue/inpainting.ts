import type { Group } from './group.js';

/** Imputers that run a network. */
export const inpainting: Group = {
  entries: {
    'imputer/inpainter': {
      name: 'Restaurateur',
      summary: 'Laisse un petit réseau peindre ce qu’il attend à cet endroit.',
    },
    'imputer/sampler': {
      name: 'Restaurateur au hasard',
      summary: 'Laisse un petit réseau tirer au sort l’un des nombreux remplissages plausibles.',
    },
  },
  params: {
    'imputer/sampler.scale': 'Facteur du bruit ; 1 est la valeur de l’entraînement.',
  },
  names: {
    'imputer/sampler.scale': ['Noise', 'Bruit'],
  },
};
