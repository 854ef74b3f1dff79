import type { Group } from './group.js';

const SEGMENTER =
  'Comment l’image est découpée : `slic` et `quickshift` trouvent des superpixels, `felzenszwalb` des régions, `grid` des cases.';
const SEGMENTS = 'À peu près combien de segments ; `slic` et `grid` seulement, les autres trouvent leur propre nombre.';
const COMPACTNESS =
  '`slic` : poids de la proximité face à la couleur ; plus grand, il donne des superpixels plus carrés.';
const KERNEL = '`quickshift` : écart type du noyau de densité, en pixels ; plus grand, il donne moins de superpixels.';
const RATIO = '`quickshift` : poids de la couleur face à la distance.';
const SCALE = '`felzenszwalb` : plus grand, il donne des régions plus grandes.';
const MIN_SIZE = '`felzenszwalb` : nombre minimal de pixels d’une région.';

/** The parameters that methods on segments share. */
const segmented = (id: string): Record<string, string> => ({
  [`method/${id}.segmenter`]: SEGMENTER,
  [`method/${id}.segments`]: SEGMENTS,
  [`method/${id}.compactness`]: COMPACTNESS,
  [`method/${id}.kernel`]: KERNEL,
  [`method/${id}.ratio`]: RATIO,
  [`method/${id}.scale`]: SCALE,
  [`method/${id}.min_size`]: MIN_SIZE,
});

export const perturbation: Group = {
  entries: {
    'method/feature-ablation': {
      name: 'Ablation de segments',
      summary: 'Cache un segment de l’image après l’autre et regarde la réponse baisser.',
      caution: 'Les segments qui disent la même chose se cachent l’un l’autre : aucun ne manque seul.',
    },
    'method/lime': {
      name: 'LIME',
      summary: 'Ajuste un modèle linéaire aux réponses quand des segments tirés au sort sont cachés.',
      caution: 'La plupart de ses images sont à moitié cachées ; la carte change avec les segments et la graine.',
    },
    'method/kernel-shap': {
      name: 'Kernel SHAP',
      summary: 'Partage la réponse entre les segments en l’ajustant sur des ensembles de segments.',
      caution:
        'La plupart des ensembles laissent des images déchirées ; ce qui comble les trous décide d’une grande part de la carte.',
    },
    'method/shapley-sampling': {
      name: 'Shapley par tirages',
      summary:
        'Fait entrer les segments un à un dans des ordres tirés au sort et crédite chacun de la hausse de la réponse.',
      caution: 'Bruité quand les ordres sont peu nombreux, et la plupart des images du chemin sont déchirées.',
    },
    'method/partition-shap': {
      name: 'SHAP par partition',
      summary:
        'Partage la réponse entre les moitiés de l’image, puis entre leurs moitiés, là où l’enjeu est le plus grand d’abord.',
      caution: 'Les bords de la carte sont des bords de rectangles, quoi que montre l’image.',
    },
    'method/sobol': {
      name: 'Sobol',
      summary: 'Estompe au hasard les cases d’une grille et trouve celles d’où vient la variance de la réponse.',
      caution: 'Elle dit qu’une case compte, pas si elle parle pour la réponse ou contre elle.',
    },
    'method/hsic': {
      name: 'HSIC',
      summary: 'Cache au hasard des cases d’une grille et mesure combien la réponse dépend de chacune.',
      caution: 'Elle dit qu’une case compte, pas si elle parle pour la réponse ou contre elle.',
    },
    'method/meaningful-perturbation': {
      name: 'Perturbation signifiante',
      summary: 'Trouve la plus petite région lisse dont le retrait fait baisser la réponse.',
      caution: 'La région peut tromper le réseau plutôt que porter ses indices ; sa taille dépend des poids.',
    },
    'method/extremal-perturbation': {
      name: 'Perturbation extrémale',
      summary: 'Trouve la région lisse d’une aire donnée qui compte le plus.',
      caution: 'La région a l’aire demandée, que les indices l’aient ou non.',
    },
    'method/fido': {
      name: 'FIDO',
      summary: 'Apprend quels pixels garder au hasard : le moins qui suffise, ou le moins dont la perte détruit.',
      caution: 'La taille de la région dépend de son coût, et ce qui comble les trous peut porter des indices.',
    },
  },
  params: {
    ...segmented('feature-ablation'),
    ...segmented('lime'),
    'method/lime.samples': 'Images dont des segments tirés au sort sont cachés ; chacune prend une passe.',
    'method/lime.kernel_width':
      'À quelle vitesse les images différentes de l’originale perdent leur poids ; plus petit, c’est plus local.',
    'method/lime.ridge': 'Force de la pénalité ridge, qui rétrécit les coefficients.',
    ...segmented('kernel-shap'),
    'method/kernel-shap.samples': 'Ensembles de segments essayés au plus ; chacun prend une passe.',
    'method/kernel-shap.paired': 'Si chaque ensemble tiré est suivi de son complément.',
    ...segmented('shapley-sampling'),
    'method/shapley-sampling.samples': 'Ordres tirés au sort ; chacun prend une passe pour chaque segment sauf un.',
    'method/partition-shap.evaluations': 'Passes au plus ; davantage donnent une carte plus fine.',
    'method/sobol.designs': 'Lignes du plan ; chacune prend une passe pour chaque case, et une de plus.',
    'method/sobol.grid': 'Cases le long d’un côté.',
    'method/hsic.designs': 'Images dont des cases tirées au sort sont cachées ; chacune prend une passe.',
    'method/hsic.grid': 'Cases le long d’un côté.',
    'method/meaningful-perturbation.steps': 'Pas de l’optimiseur ; chacun prend une passe avant et une passe arrière.',
    'method/meaningful-perturbation.grid': 'Points du masque le long d’un côté ; moins le rendent plus lisse.',
    'method/meaningful-perturbation.rate': 'Taille des pas de l’optimiseur.',
    'method/meaningful-perturbation.sparsity': 'Coût du retrait ; plus grand, il retire moins.',
    'method/meaningful-perturbation.smoothness': 'Coût d’un masque déchiqueté.',
    'method/extremal-perturbation.area': 'Part de l’image que prend la région.',
    'method/extremal-perturbation.game':
      'À quoi sert la région : vue seule elle garde la réponse, retirée elle la fait baisser, ou les deux.',
    'method/extremal-perturbation.steps':
      'Pas de l’optimiseur ; chacun prend une passe avant et une passe arrière, le double si le jeu est double.',
    'method/extremal-perturbation.spacing': 'Pixels entre les points de contrôle du masque.',
    'method/extremal-perturbation.smoothing': 'Taille des bosses du masque, en pixels.',
    'method/extremal-perturbation.flip': 'Si l’image est retournée en miroir un pas sur deux.',
    'method/fido.region':
      'Ce qui est cherché : `ssr`, la plus petite région qui suffise, ou `sdr`, la plus petite dont la perte détruit.',
    'method/fido.steps': 'Pas de l’optimiseur.',
    'method/fido.draws': 'Masques tirés à chaque pas ; chacun prend une passe avant et une passe arrière.',
    'method/fido.grid': 'Points du masque le long d’un côté ; moins le rendent plus lisse.',
    'method/fido.rate': 'Taille des pas de l’optimiseur.',
    'method/fido.sparsity': 'Coût d’un pixel dans la région ; plus grand, elle est plus petite.',
    'method/fido.annealed': 'Si les pas de l’optimiseur diminuent jusqu’à rien.',
    'method/fido.warm_up': 'Pas pendant lesquels le coût monte de rien à sa pleine taille.',
  },
  names: {
    annealed: ['Shrinking steps', 'Pas décroissants'],
    warm_up: ['Warm-up', 'Mise en route'],
    segmenter: ['Segmenter', 'Découpage'],
    segments: ['Segments', 'Segments'],
    compactness: ['Compactness', 'Compacité'],
    ratio: ['Colour ratio', 'Part de la couleur'],
    min_size: ['Least size', 'Taille minimale'],
    kernel_width: ['Kernel width', 'Largeur du noyau'],
    ridge: ['Ridge penalty', 'Pénalité ridge'],
    paired: ['Paired', 'Par paires'],
    evaluations: ['Evaluations', 'Évaluations'],
    designs: ['Designs', 'Plans'],
    rate: ['Step size', 'Taille du pas'],
    sparsity: ['Cost of a pixel', 'Coût d’un pixel'],
    smoothness: ['Smoothness', 'Lissage du masque'],
    area: ['Area', 'Aire'],
    game: ['Game', 'Jeu'],
    spacing: ['Spacing', 'Espacement'],
    smoothing: ['Smoothing', 'Lissage'],
    flip: ['Mirror', 'Miroir'],
    region: ['Region', 'Région'],
    draws: ['Draws', 'Tirages'],
  },
  choices: {
    slic: ['SLIC', 'SLIC'],
    quickshift: ['Quickshift', 'Quickshift'],
    felzenszwalb: ['Felzenszwalb', 'Felzenszwalb'],
    grid: ['cells', 'cases'],
    preserve: ['keeps the answer', 'garde la réponse'],
    delete: ['destroys it', 'la détruit'],
    dual: ['both', 'les deux'],
    ssr: ['smallest sufficient region', 'plus petite région suffisante'],
    sdr: ['smallest destroying region', 'plus petite région destructrice'],
  },
};
