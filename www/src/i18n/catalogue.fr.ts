/** French for the engine's registries: entries by registry and id, parameters by registry, id and name. */
export interface EntryFr {
  readonly name: string;
  readonly summary: string;
  readonly caution?: string;
  readonly range?: string;
}

const KNOWS_NOTHING = 'Elle ne sait rien du réseau ni de l’image.';
const TARGET_RANGE = 'la plage de la cible ; de 0 à 1 pour une probabilité';

export const entriesFr: Readonly<Record<string, EntryFr>> = {
  'method/gradient': {
    name: 'Gradient',
    summary: 'À quelle vitesse la réponse change quand un pixel change un peu.',
    caution: 'Presque nul partout où la réponse est saturée, même sur des pixels qui comptent.',
  },
  'method/input-x-gradient': {
    name: 'Entrée × gradient',
    summary: 'Le gradient multiplié par la valeur du pixel.',
    caution: 'Les pixels de la couleur que le prétraitement ramène à zéro ne comptent pour rien.',
  },
  'method/integrated-gradients': {
    name: 'Gradients intégrés',
    summary: 'Additionne les gradients sur le chemin d’une image vide à celle-ci.',
    caution: 'Les pixels qui ressemblent à l’image vide ne reçoivent rien, même là où ils comptent.',
  },
  'method/smooth-grad': {
    name: 'SmoothGrad',
    summary: 'Le gradient, moyenné sur des copies bruitées de l’image.',
    caution: 'Il explique la réponse à des images bruitées, qui peut différer de la réponse à celle-ci.',
  },
  'method/grad-cam': {
    name: 'Grad-CAM',
    summary: 'Où se trouvent les traits tardifs qui parlent pour la réponse.',
    caution: 'Grossier : ses taches lisses viennent de l’agrandissement de quelques cases.',
  },
  'method/occlusion': {
    name: 'Occlusion',
    summary: 'Cache une fenêtre après l’autre et regarde la réponse baisser.',
    caution: 'Les indices plus grands que la fenêtre lui échappent.',
  },
  'method/rise': {
    name: 'RISE',
    summary: 'Montre l’image à travers des masques tirés au sort et garde ce que les meilleurs ont en commun.',
    caution: 'Moucheté par le hasard quand les tirages sont peu nombreux ; comparez deux graines.',
  },
  'method/random': {
    name: 'Hasard',
    summary: 'Le pur hasard : ce qu’une vraie carte doit battre.',
    caution: KNOWS_NOTHING,
  },
  'method/constant': {
    name: 'Constante',
    summary: 'La même valeur partout : une carte qui ne préfère aucun pixel.',
    caution: KNOWS_NOTHING,
  },
  'method/sobel': {
    name: 'Contours',
    summary: 'Les contours de l’image, quel que soit le réseau.',
    caution: 'Les objets ont des contours : elle peut dépasser le hasard sans rien savoir du réseau.',
  },
  'method/input-magnitude': {
    name: 'Amplitude de l’entrée',
    summary: 'À quelle distance chaque pixel est de la couleur que le prétraitement ramène à zéro.',
    caution: 'Elle peut dépasser le hasard sans rien savoir du réseau.',
  },
  'metric/insertion': {
    name: 'Insertion',
    summary: 'À quelle vitesse la réponse monte quand on remet d’abord les pixels les plus importants.',
    caution: 'Favorise les cartes faites de taches compactes.',
    range: TARGET_RANGE,
  },
  'metric/deletion': {
    name: 'Suppression',
    summary: 'À quelle vitesse la réponse chute quand on retire d’abord les pixels les plus importants.',
    caution: 'Les trous sont étranges pour le réseau, et peuvent à eux seuls faire baisser la réponse.',
    range: TARGET_RANGE,
  },
  'metric/road': {
    name: 'ROAD',
    summary: 'Retirer des pixels sans importance nuit-il moins à la réponse que retirer les importants ?',
    caution: 'Lisser une carte peut élever son score sans rien lui apprendre.',
    range: 'de −0,5 à 0,5 pour une probabilité ; environ 0 au hasard',
  },
  'metric/faithfulness-correlation': {
    name: 'Corrélation de fidélité',
    summary: 'L’importance de pixels tirés au sort prédit-elle de combien la réponse chute sans eux ?',
    caution: 'Des pixels épars sont aisément remplacés par leurs voisins : le score est bruité.',
    range: 'de −1 à 1 ; environ 0 au hasard',
  },
  'imputer/constant': { name: 'Couleur unie', summary: 'Peint les pixels retirés d’une seule couleur.' },
  'imputer/channel-mean': {
    name: 'Couleur moyenne',
    summary: 'Peint les pixels retirés de la couleur moyenne de l’image.',
  },
  'imputer/gaussian-blur': { name: 'Flou', summary: 'Rend flous les pixels retirés.' },
  'imputer/uniform-noise': { name: 'Bruit', summary: 'Remplace les pixels retirés par des couleurs tirées au sort.' },
  'imputer/noisy-linear': {
    name: 'Linéaire bruité (ROAD)',
    summary: 'Relie en douceur les pixels retirés à partir de leurs voisins.',
  },
};

export const paramsFr: Readonly<Record<string, string>> = {
  'method/integrated-gradients.steps': 'Points sur la ligne depuis la référence ; chacun demande un gradient.',
  'method/integrated-gradients.quadrature': 'Où se trouvent les points et comment ils sont pondérés.',
  'method/integrated-gradients.baseline':
    'La valeur de chaque pixel et canal de la référence, dans l’espace prétraité.',
  'method/smooth-grad.samples': 'Copies bruitées de l’image ; chacune demande un gradient.',
  'method/smooth-grad.noise_level': 'Écart type du bruit, en part de la plage de valeurs de l’image.',
  'method/grad-cam.layer': 'La couche à regarder ; celle du modèle par défaut.',
  'method/occlusion.window': 'Côté de la fenêtre carrée, en pixels.',
  'method/occlusion.stride': 'Pas entre deux fenêtres, en pixels.',
  'method/rise.samples': 'Masques tirés au sort ; chacun demande une passe. Plus il y en a, plus la carte est lisse.',
  'method/rise.keep': 'Probabilité qu’une case d’un masque laisse passer l’image.',
  'method/rise.grid':
    'Cases d’un masque par côté ; plus il y en a, plus le détail est fin, et plus il faut de tirages.',
  'metric/insertion.steps': 'Combien de fois des pixels sont remis, de l’image vide à l’image entière.',
  'metric/insertion.order': 'Si les pixels les plus ou les moins importants reviennent d’abord.',
  'metric/deletion.steps': 'Combien de fois des pixels sont retirés, de l’image entière à l’image vide.',
  'metric/deletion.order': 'Si les pixels les plus ou les moins importants partent d’abord.',
  'metric/faithfulness-correlation.runs': 'Ensembles de pixels tirés au sort ; chacun demande une passe.',
  'metric/faithfulness-correlation.subset_size': 'Pixels de chaque ensemble ; moins que n’en a l’image.',
  'imputer/constant.colour': 'La couleur : la valeur donnée ci-contre, ou une couleur fixe.',
  'imputer/constant.value': 'Le remplissage dans l’espace prétraité, pour chaque canal.',
  'imputer/gaussian-blur.sigma': 'Écart type du flou, en pixels.',
  'imputer/uniform-noise.low': 'La plus petite valeur de pixel ; 0 est noir et 1 est blanc.',
  'imputer/uniform-noise.high': 'La plus grande valeur de pixel.',
  'imputer/noisy-linear.noise': 'Écart type du bruit ajouté aux pixels retirés, en valeurs du réseau.',
  'imputer/noisy-linear.tolerance':
    'Plus grande erreur d’une équation à laquelle le calcul s’arrête, en part de la plage des valeurs gardées.',
};
