import type { Group } from './group.js';

/** Imputers beyond the first ones. */
export const removal: Group = {
  entries: {
    'imputer/random-colour': {
      name: 'Couleur au hasard',
      summary: 'Peint les pixels retirés d’une couleur bruitée tirée au sort.',
    },
    'imputer/neighbourhood-mean': {
      name: 'Moyenne du voisinage',
      summary: 'Peint chaque pixel retiré de la moyenne des pixels gardés autour de lui.',
    },
    'imputer/gaussian-noise': {
      name: 'Bruit gaussien',
      summary: 'Remplace les pixels retirés par un bruit de même moyenne et de même dispersion que l’image.',
    },
    'imputer/harmonic': { name: 'Harmonique', summary: 'Tend une membrane sur les pixels retirés.' },
    'imputer/biharmonic': {
      name: 'Biharmonique',
      summary: 'Tend une plaque rigide sur les pixels retirés : les pentes s’y prolongent.',
    },
    'imputer/telea': {
      name: 'Telea',
      summary: 'Remplit les pixels retirés du bord vers l’intérieur, le long des pentes de l’image.',
    },
    'imputer/navier-stokes': {
      name: 'Navier–Stokes',
      summary: 'Prolonge dans les pixels retirés les lignes d’égale luminosité du bord.',
    },
  },
  params: {
    'imputer/random-colour.noise': 'Écart type du bruit autour de la couleur, en valeurs de pixel.',
    'imputer/neighbourhood-mean.window': 'Côté de la fenêtre carrée, en pixels.',
    'imputer/gaussian-noise.scale': 'Écart type du bruit, en multiple de celui du canal de l’image.',
    'imputer/harmonic.tolerance':
      'Prochaine correction d’un pixel à laquelle le calcul s’arrête, en part de la plage des valeurs gardées.',
    'imputer/biharmonic.tolerance':
      'Prochaine correction d’un pixel à laquelle le calcul s’arrête, en part de la plage des valeurs gardées.',
    'imputer/telea.radius': 'Jusqu’où les pixels connus sont cherchés, en pixels.',
    'imputer/navier-stokes.radius': 'Jusqu’où les pixels connus sont cherchés, en pixels.',
  },
  names: {
    'imputer/telea.radius': ['Radius, pixels', 'Rayon, pixels'],
    'imputer/navier-stokes.radius': ['Radius, pixels', 'Rayon, pixels'],
    'imputer/gaussian-noise.scale': ['Spread', 'Dispersion'],
  },
};
