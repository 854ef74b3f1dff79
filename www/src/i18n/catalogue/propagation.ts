import type { Group } from './group.js';

const STABILISER = 'De combien les dénominateurs sont écartés de zéro.';
const LOW = 'La plus petite valeur d’un pixel, avant normalisation.';
const HIGH = 'La plus grande valeur d’un pixel, avant normalisation.';
const ZERO_BIAS = 'Si les biais ne reçoivent aucune part.';

export const propagation: Group = {
  entries: {
    'method/guided-backprop': {
      name: 'Rétropropagation guidée',
      summary: 'Le gradient, où chaque ReLU laisse tomber ce qui parle contre.',
      caution: 'Retrouve les contours de l’image quelle que soit la classe et quoi que le réseau ait appris.',
    },
    'method/deconvnet': {
      name: 'Déconvolution',
      summary: 'Le réseau parcouru à rebours, de la réponse à un motif dans l’image.',
      caution: 'Montre des motifs qui pourraient porter la réponse, pas ceux qui l’ont portée dans cette image.',
    },
    'method/guided-grad-cam': {
      name: 'Grad-CAM guidé',
      summary: 'La rétropropagation guidée, gardée là où Grad-CAM voit la classe.',
      caution: 'Son détail fin vient des contours de l’image ; seule la tache grossière dépend de la classe.',
    },
    'method/lrp': {
      name: 'Propagation de pertinence (LRP)',
      summary: 'Rend la réponse couche par couche, à chaque entrée selon ce qu’elle y a apporté.',
      caution:
        'D’autres règles dessinent d’autres cartes ; certaines ne dépendent guère de ce que les dernières couches ont appris.',
    },
    'method/deep-taylor': {
      name: 'Décomposition de Taylor profonde',
      summary: 'Rend la réponse en développant chaque couche en un point où elle ne dit rien.',
      caution:
        'Ne montre rien de ce qui parle contre la réponse, et ne dépend guère de ce que les dernières couches ont appris.',
    },
    'method/excitation-backprop': {
      name: 'Rétropropagation d’excitation',
      summary: 'Où finissent des marches au hasard qui descendent de la réponse vers ce qui l’excite.',
      caution: 'Ce qui parle contre la réponse est laissé de côté : des classes proches ont la même carte.',
    },
  },
  params: {
    'method/guided-grad-cam.layer': 'La couche que regarde Grad-CAM ; vide : celle que le modèle propose.',
    'method/lrp.composite': 'Quelle règle pour quelles couches : un assemblage de règles, ou une seule pour toutes.',
    'method/lrp.epsilon':
      'De la règle epsilon : de combien ses dénominateurs sont écartés de zéro. Plus grand, les faibles apports se taisent.',
    'method/lrp.gamma': 'De la règle gamma : de combien les apports positifs sont favorisés.',
    'method/lrp.alpha':
      'De la règle alpha-bêta : le poids de ce qui élève une unité ; ce qui l’abaisse a le poids alpha - 1.',
    'method/lrp.low': LOW,
    'method/lrp.high': HIGH,
    'method/lrp.stabiliser': 'De combien les dénominateurs des autres règles sont écartés de zéro.',
    'method/lrp.zero_bias': ZERO_BIAS,
    'method/deep-taylor.low': LOW,
    'method/deep-taylor.high': HIGH,
    'method/deep-taylor.stabiliser': STABILISER,
    'method/excitation-backprop.stabiliser': STABILISER,
    'method/excitation-backprop.zero_bias': ZERO_BIAS,
  },
  names: {
    composite: ['Rules', 'Règles'],
    epsilon: ['Epsilon', 'Epsilon'],
    gamma: ['Gamma', 'Gamma'],
    alpha: ['Alpha', 'Alpha'],
    'method/lrp.low': ['Lowest value', 'Plus petite valeur'],
    'method/lrp.high': ['Highest value', 'Plus grande valeur'],
    'method/deep-taylor.low': ['Lowest value', 'Plus petite valeur'],
    'method/deep-taylor.high': ['Highest value', 'Plus grande valeur'],
    stabiliser: ['Stabiliser', 'Stabilisateur'],
    zero_bias: ['Without biases', 'Sans les biais'],
  },
  choices: {
    'epsilon-plus': ['epsilon and z⁺', 'epsilon et z⁺'],
    'epsilon-plus-flat': ['epsilon, z⁺ and flat', 'epsilon, z⁺ et plate'],
    'epsilon-gamma-box': ['epsilon, gamma and box', 'epsilon, gamma et boîte'],
    'epsilon-alpha2-beta1': ['epsilon and alpha 2, beta 1', 'epsilon et alpha 2, bêta 1'],
    'epsilon-alpha2-beta1-flat': ['epsilon, alpha 2, beta 1 and flat', 'epsilon, alpha 2, bêta 1 et plate'],
    epsilon: ['epsilon', 'epsilon'],
    gamma: ['gamma', 'gamma'],
    'z-plus': ['z⁺', 'z⁺'],
    'alpha-beta': ['alpha-beta', 'alpha-bêta'],
    'w-square': ['w²', 'w²'],
    flat: ['flat', 'plate'],
  },
};
