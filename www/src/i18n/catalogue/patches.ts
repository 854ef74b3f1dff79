import type { Group } from './group.js';

/** Fillings that copy patches of the picture, and layer masking. */
export const patches: Group = {
  entries: {
    'imputer/layer-masking': {
      name: 'Masquage des couches',
      summary: 'Laisse les pixels retirés hors de chaque couche du réseau, au lieu de les remplir.',
    },
  },
  params: {},
  names: {},
};
