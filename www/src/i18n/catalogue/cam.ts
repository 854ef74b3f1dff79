import type { Group } from './group.js';

const SAME_FOR_ALL = 'La même carte pour toutes les classes : elle ne regarde pas la réponse.';
const LAYER = 'La couche à regarder ; vide : la couche par défaut du modèle.';
const OF = 'La méthode dont la carte est reprise, avec ses paramètres par défaut.';

export const cam: Group = {
  entries: {
    'method/grad-cam-plus-plus': {
      name: 'Grad-CAM++',
      summary: 'Un Grad-CAM qui retrouve chacune des instances d’une classe quand il y en a plusieurs.',
      caution: 'Ses poids sont des quotients que quelques cases peuvent gonfler, et qui décident alors de la carte.',
    },
    'method/grad-cam-elementwise': {
      name: 'Grad-CAM case par case',
      summary: 'Ce qui, dans les cartes d’une couche, parle pour la réponse, canal par canal.',
      caution: 'Au même endroit, les indices pour et contre ne se compensent pas.',
    },
    'method/hires-cam': {
      name: 'HiResCAM',
      summary: 'Les cartes d’une couche multipliées par leur gradient, sans en faire d’abord la moyenne.',
      caution: 'Exact seulement si une tête linéaire suit la couche ; bruité dans les couches précoces.',
    },
    'method/x-grad-cam': {
      name: 'XGrad-CAM',
      summary: 'Un Grad-CAM dont les poids ne regardent que là où un canal est actif.',
      caution: 'Instable sur les couches à valeurs négatives : les canaux dont la somme est presque nulle décident.',
    },
    'method/layer-cam': {
      name: 'Layer-CAM',
      summary: 'Des cartes fines dès les premières couches : chaque endroit est pesé par son propre gradient positif.',
      caution: 'Dans les premières couches, chaque contour s’allume.',
    },
    'method/eigen-cam': {
      name: 'Eigen-CAM',
      summary: 'Le motif le plus fort d’une couche, quelle que soit la classe.',
      caution: SAME_FOR_ALL,
    },
    'method/eigen-grad-cam': {
      name: 'EigenGrad-CAM',
      summary: 'Le motif le plus fort d’une couche multipliée par son gradient.',
      caution: 'Son signe est une convention : un indice contre la classe peut être montré comme un indice pour.',
    },
    'method/kpca-cam': {
      name: 'KPCA-CAM',
      summary: 'Le motif le plus fort d’une couche selon une mesure courbe, quelle que soit la classe.',
      caution: SAME_FOR_ALL,
    },
    'method/fem': {
      name: 'FEM',
      summary: 'Où les canaux d’une couche sont actifs comme rarement, quelle que soit la classe.',
      caution: SAME_FOR_ALL,
    },
    'method/score-cam': {
      name: 'Score-CAM',
      summary: 'Montre l’image à travers chaque canal d’une couche et garde ceux qui font monter la réponse.',
      caution: 'Un softmax de logits laisse un ou deux canaux décider de toute la carte.',
    },
    'method/ablation-cam': {
      name: 'Ablation-CAM',
      summary: 'Éteint un canal d’une couche après l’autre et regarde la réponse baisser.',
      caution: 'Des canaux qui n’agissent qu’ensemble semblent chacun sans importance.',
    },
    'method/attention-rollout': {
      name: 'Déroulé de l’attention',
      summary: 'Combien de chaque carreau atteint la réponse d’un transformeur, par son attention seule.',
      caution:
        'La même carte pour toutes les classes ; ce qui est regardé peut être ignoré ou parler contre la réponse.',
    },
    'method/gradient-attention-rollout': {
      name: 'Gradient × attention',
      summary: 'Combien de chaque carreau atteint la réponse d’un transformeur par l’attention qui la fait monter.',
      caution: 'Seule l’attention est suivie : ce que les couches entre elles en font est laissé de côté.',
    },
    'method/laplace': {
      name: 'Contours de Laplace',
      summary: 'Combien chaque pixel diffère de ses voisins, quel que soit le réseau.',
      caution: 'Les objets ont des contours : elle peut dépasser le hasard sans connaître le réseau.',
    },
    'method/centred-gaussian': {
      name: 'Centre',
      summary: 'Le milieu de l’image, quoi qu’il s’y trouve.',
      caution: 'Là où les objets sont centrés, elle les situe bien sans rien regarder.',
    },
    'method/blurred': {
      name: 'Copie floue',
      summary: 'La carte d’une autre méthode, floutée : les mêmes régions sans le détail.',
      caution: 'Le flou peut améliorer une carte bruitée, en moyennant le bruit.',
    },
    'method/randomised-network': {
      name: 'Réseau tiré au sort',
      summary: 'La carte d’une autre méthode pour le même réseau aux poids tirés au sort.',
      caution: 'Des convolutions au hasard gardent contours et positions : elle peut ressembler à l’image.',
    },
  },
  params: {
    'method/grad-cam-plus-plus.layer': LAYER,
    'method/grad-cam-elementwise.layer': LAYER,
    'method/hires-cam.layer': LAYER,
    'method/x-grad-cam.layer': LAYER,
    'method/layer-cam.layer': LAYER,
    'method/eigen-cam.layer': LAYER,
    'method/eigen-grad-cam.layer': LAYER,
    'method/kpca-cam.layer': LAYER,
    'method/kpca-cam.kernel': 'Comment deux endroits se ressemblent : sigmoïde ou rbf de leurs valeurs.',
    'method/fem.layer': LAYER,
    'method/fem.deviations': 'De combien un endroit doit dépasser pour compter, en écarts-types de son canal.',
    'method/score-cam.layer': LAYER,
    'method/ablation-cam.layer': LAYER,
    'method/attention-rollout.fusion': 'Comment les têtes d’une couche deviennent une seule matrice.',
    'method/attention-rollout.discard': 'Part des attentions les plus faibles de chaque couche qui est écartée.',
    'method/gradient-attention-rollout.rule':
      'Comment les couches se joignent : une pertinence que l’on additionne, ou un déroulé.',
    'method/gradient-attention-rollout.discard':
      'Avec la règle du déroulé : part des valeurs les plus faibles de chaque couche qui est écartée.',
    'method/centred-gaussian.spread': 'Écart-type, en part de chaque côté de l’image.',
    'method/blurred.of': OF,
    'method/blurred.sigma': 'Écart-type du flou, en pixels de l’entrée du réseau.',
    'method/randomised-network.of': OF,
    'method/randomised-network.redrawn':
      'Part des groupes de poids tirés au sort, comptée depuis la réponse vers l’image.',
  },
  names: {
    kernel: ['Kernel', 'Noyau'],
    deviations: ['Deviations', 'Écarts-types'],
    fusion: ['Fusion of heads', 'Fusion des têtes'],
    discard: ['Left out', 'Part écartée'],
    rule: ['Rule', 'Règle'],
    spread: ['Spread', 'Étalement'],
    of: ['Method', 'Méthode'],
    redrawn: ['Redrawn part', 'Part tirée au sort'],
  },
  choices: {
    sigmoid: ['sigmoid', 'sigmoïde'],
    rbf: ['rbf', 'rbf'],
    mean: ['mean', 'moyenne'],
    max: ['max', 'max'],
    min: ['min', 'min'],
    relevance: ['relevance', 'pertinence'],
    rollout: ['rollout', 'déroulé'],
  },
};
