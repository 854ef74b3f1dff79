import type { Group } from './group.js';

/** Fillings that copy patches of the picture, and layer masking. */
export const patches: Group = {
  entries: {
    'imputer/layer-masking': {
      name: 'Masquage des couches',
      summary: 'Laisse les pixels retirés hors de chaque couche du réseau, au lieu de les remplir.',
    },
    'imputer/patch-match': {
      name: 'Complétion PatchMatch',
      summary: 'Complète l’image par des morceaux de ce qui est gardé, du grossier au fin.',
    },
    'imputer/exemplar': {
      name: 'Par l’exemple (Criminisi)',
      summary: 'Copie dans le trou des morceaux de ce qui est gardé, le long des contours d’abord.',
    },
  },
  params: {
    'imputer/patch-match.patch': 'Côté d’un morceau, en pixels.',
    'imputer/patch-match.iterations': 'Tours de recherche et de vote à chaque niveau.',
    'imputer/exemplar.patch': 'Côté d’un morceau, en pixels.',
    'imputer/exemplar.window': 'Jusqu’où autour d’un morceau les sources sont cherchées, en pixels.',
  },
  names: {
    'imputer/patch-match.patch': ['Patch, pixels', 'Morceau, pixels'],
    'imputer/exemplar.patch': ['Patch, pixels', 'Morceau, pixels'],
    'imputer/exemplar.window': ['Search, pixels', 'Recherche, pixels'],
    iterations: ['Rounds', 'Tours'],
  },
};
