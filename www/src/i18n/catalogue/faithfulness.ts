import type { Group } from './group.js';

const STEPS = 'Pas de la courbe, une passe chacun.';
const ORDER = 'Si les pixels les plus ou les moins importants partent d’abord.';
const SHARE = 'La plus grande part des pixels retirée.';
const SCALE =
  'Comment la carte devient des parts : « min-max » l’étire de 0 à 1, « positive » laisse tomber ce qui est négatif.';
const TARGET_RANGE = 'la plage de la cible ; de 0 à 1 pour une probabilité';
const CORRELATION_RANGE = 'de -1 à 1 ; environ 0 au hasard';
const COMPACT = 'L’information est estimée, et les cartes compactes en coûtent moins.';

export const faithfulness: Group = {
  entries: {
    'metric/faithfulness-estimate': {
      name: 'Estimation de fidélité',
      summary: 'L’importance d’un groupe annonce-t-elle la chute de la réponse sans ce seul groupe ?',
      caution: 'Un indice présent deux fois semble ne pas compter.',
      range: CORRELATION_RANGE,
    },
    'metric/pixel-flipping': {
      name: 'Retournement de pixels',
      summary:
        'À quelle vitesse la réponse baisse quand des pixels sont changés à petits pas, les plus importants d’abord.',
      caution: 'Des trous épars ressemblent à du bruit, qui peut suffire à baisser la réponse.',
      range: TARGET_RANGE,
    },
    'metric/region-perturbation': {
      name: 'Perturbation de régions',
      summary: 'De combien la réponse baisse en moyenne quand les carrés les plus importants sont retirés un à un.',
      caution: 'Une autre taille de carré peut classer autrement les mêmes cartes.',
      range: 'la plage de la cible ; de -1 à 1 pour une probabilité',
    },
    'metric/selectivity': {
      name: 'Sélectivité',
      summary: 'À quelle vitesse la réponse baisse quand tous les carrés sont retirés, les plus importants d’abord.',
      caution: 'Une bonne part de l’aire vient d’images dont il ne reste presque rien.',
      range: TARGET_RANGE,
    },
    'metric/sensitivity-n': {
      name: 'Sensibilité-n',
      summary:
        'L’importance de pixels tirés au sort annonce-t-elle la chute de la réponse, pour peu de pixels comme pour beaucoup ?',
      caution: 'Les grands ensembles laissent des images que le réseau ne connaît pas.',
      range: CORRELATION_RANGE,
    },
    'metric/irof': {
      name: 'IROF',
      summary: 'À quelle vitesse la réponse baisse quand des superpixels sont retirés, les plus importants d’abord.',
      caution: 'Les superpixels suivent les contours, et avantagent les cartes qui les suivent aussi.',
      range: 'au plus 1 pour une probabilité',
    },
    'metric/infidelity': {
      name: 'Infidélité',
      summary: 'De combien la carte se trompe sur l’effet de carrés retirés au hasard.',
      caution: 'Une carte dans une autre unité perd à cause d’elle, sauf si un facteur est pardonné.',
      range: '0 ou plus, dans l’unité de la cible au carré',
    },
    'metric/monotonicity': {
      name: 'Monotonie (Arya)',
      summary: 'La réponse monte-t-elle avec chaque groupe de pixels remis, les moins importants d’abord ?',
      caution: 'Où tout parle pour la réponse, n’importe quelle carte réussit.',
      range: '0 ou 1 ; de 0 à 1 si les pas sont comptés',
    },
    'metric/monotonicity-correlation': {
      name: 'Corrélation de monotonie (Nguyen)',
      summary: 'Les groupes de pixels plus importants changent-ils davantage la réponse quand on les retire ?',
      caution: 'Un indice présent deux fois semble ne pas compter.',
      range: CORRELATION_RANGE,
    },
    'metric/sufficiency': {
      name: 'Suffisance (Dasgupta)',
      summary: 'Les images qui ont presque la même carte ont-elles la même réponse ?',
      caution: 'Elle parle de la méthode sur toute la série, pas d’une image.',
      range: 'de 0 à 1',
    },
    'metric/abpc': {
      name: 'Aire entre les courbes',
      summary:
        'Combien la réponse baisse plus tôt sans les pixels les plus importants que sans les moins importants.',
      caution: 'Les indices contre la classe, classés derniers, comptent deux fois.',
      range: 'la plage de la cible, dans les deux sens ; environ 0 au hasard',
    },
    'metric/mu-fidelity': {
      name: 'µFidélité',
      summary: 'L’importance de grosses cases tirées au sort annonce-t-elle la chute de la réponse sans elles ?',
      caution: 'Les cartes fines ne sont jugées que par leurs sommes sur de grosses cases.',
      range: CORRELATION_RANGE,
    },
    'metric/average-drop': {
      name: 'Chute moyenne',
      summary: 'Quelle part de la réponse se perd quand l’image n’est vue que là où la carte est claire ?',
      caution: 'Une carte claire partout ne perd rien.',
      range: 'de 0 à 1',
    },
    'metric/average-increase': {
      name: 'Hausse moyenne',
      summary: 'La réponse est-elle plus forte quand l’image n’est vue que là où la carte est claire ?',
      caution: 'Sur peu d’images elle ne dit rien : chacune est un oui ou un non.',
      range: '0 ou 1 pour une image',
    },
    'metric/average-gain': {
      name: 'Gain moyen',
      summary:
        'Quelle part de ce qui manque à la certitude est gagnée quand l’image n’est vue que là où la carte est claire ?',
      caution: 'Où le réseau est presque certain, un changement infime est une grande part de ce qui manque.',
      range: 'de 0 à 1 pour une probabilité',
    },
    'metric/pic-aic': {
      name: 'Courbe d’information, réponse juste',
      summary:
        'Combien peu de l’information de l’image suffit à la bonne réponse, les pixels les plus importants d’abord ?',
      caution: COMPACT,
      range: 'de 0 à 1',
    },
    'metric/pic-sic': {
      name: 'Courbe d’information, probabilité',
      summary:
        'Combien peu de l’information de l’image suffit à une réponse sûre, les pixels les plus importants d’abord ?',
      caution: COMPACT,
      range: 'de 0 à 1',
    },
    'metric/arcc': {
      name: 'ARCC',
      summary: 'La carte est-elle cohérente, petite et confirmée par le retrait, les trois à la fois ?',
      caution: 'La petitesse compte autant que la vérité.',
      range: 'de 0 à 1',
    },
    'metric/degraded-ranking': {
      name: 'Classement de cartes abîmées',
      summary: 'Une autre mesure distingue-t-elle la carte de versions de plus en plus brouillées ?',
      caution: 'Une carte qui ne sait rien ne peut pas être abîmée.',
      range: 'de -1 à 1 ; environ 0 si la mesure ne distingue rien',
    },
    'metric/mask-leakage': {
      name: 'Fuite par le masque',
      summary: 'La classe se devine-t-elle à la seule forme de la région retirée ?',
      caution: 'Avec peu d’images, le résultat est incertain.',
      range: 'au plus 1 ; 0 ou moins où les masques ne disent rien',
    },
    'metric/sufficiency-necessity': {
      name: 'Suffisance et nécessité',
      summary: 'Ce que la carte dit important suffit-il seul, manque-t-il quand on le retire, et est-il petit ?',
      caution: 'Le seuil décide de ce qui est jugé.',
      range: 'de -1,5 à 1 pour une probabilité, avec la pénalité par défaut',
    },
  },
  params: {
    'metric/insertion.share': 'La plus grande part des pixels remise.',
    'metric/deletion.share': SHARE,
    'metric/road.steps': 'Centiles auxquels des pixels sont retirés, à distance égale.',
    'metric/road.order': 'Si les deux ordres sont comparés, ou un seul est pris.',
    'metric/road.reads': 'Ce qui est lu de la réponse : la cible, ou si sa classe reste la réponse.',
    'metric/faithfulness-estimate.steps': 'Groupes en lesquels le classement est coupé, une passe chacun.',
    'metric/pixel-flipping.steps': 'Combien de fois des pixels sont changés, une passe chacun.',
    'metric/pixel-flipping.order': ORDER,
    'metric/pixel-flipping.share': 'La plus grande part des pixels changée.',
    'metric/region-perturbation.patch': 'Côté d’une région, en pixels.',
    'metric/region-perturbation.regions': 'Combien de régions sont retirées au plus, une passe chacune.',
    'metric/region-perturbation.order': 'Si les régions les plus ou les moins importantes partent d’abord, ou au hasard.',
    'metric/selectivity.patch': 'Côté d’une région, en pixels.',
    'metric/selectivity.order': 'Si les régions les plus ou les moins importantes partent d’abord.',
    'metric/sensitivity-n.sizes': 'Combien de tailles d’ensembles, d’un pixel à la plus grande part.',
    'metric/sensitivity-n.runs': 'Ensembles tirés au sort pour chaque taille, une passe chacun.',
    'metric/sensitivity-n.share': 'La plus grande part des pixels dans un ensemble.',
    'metric/irof.order': 'Si les segments les plus ou les moins importants partent d’abord.',
    'metric/irof.segmenter':
      'Comment l’image est coupée : « slic » et « quickshift » trouvent des superpixels, « felzenszwalb » des régions, « grid » des cases.',
    'metric/irof.segments': 'Nombre approximatif de segments ; « slic » et « grid » seulement.',
    'metric/irof.compactness': '« slic » : poids de la proximité face à la couleur ; plus grand, plus carré.',
    'metric/irof.kernel': '« quickshift » : écart type du noyau de densité, en pixels.',
    'metric/irof.ratio': '« quickshift » : poids de la couleur face à la distance.',
    'metric/irof.scale': '« felzenszwalb » : plus grand, les régions sont plus grandes.',
    'metric/irof.min_size': '« felzenszwalb » : le moins de pixels d’une région.',
    'metric/infidelity.samples': 'Carrés tirés au sort, une passe chacun.',
    'metric/infidelity.patch': 'Côté d’un carré, en pixels.',
    'metric/infidelity.reads':
      'Si la carte dit l’effet d’un petit changement (« gradient ») ou partage la réponse (« contribution »).',
    'metric/infidelity.scaled': 'Si la carte est d’abord multipliée par le facteur qui convient le mieux.',
    'metric/monotonicity.steps': 'Groupes en lesquels le classement est coupé, une passe chacun.',
    'metric/monotonicity.counts': 'Si chaque pas doit monter, ou si le score est la part des pas qui montent.',
    'metric/monotonicity.order': 'Si les pixels les moins ou les plus importants reviennent d’abord.',
    'metric/monotonicity.magnitude': 'Si les pixels sont classés par la taille de leur importance, sans le signe.',
    'metric/monotonicity-correlation.steps': 'Groupes en lesquels le classement est coupé.',
    'metric/monotonicity-correlation.samples': 'Retraits de chaque groupe, une passe chacun.',
    'metric/sufficiency.threshold': 'Ce qui est proche, en part de la plus grande distance entre deux cartes.',
    'metric/abpc.steps': 'Combien de fois des pixels sont retirés dans chaque ordre.',
    'metric/abpc.share': SHARE,
    'metric/mu-fidelity.samples': 'Ensembles de cases tirés au sort, une passe chacun.',
    'metric/mu-fidelity.grid': 'Cases par côté.',
    'metric/mu-fidelity.share': 'Part moyenne des cases retirées.',
    'metric/average-drop.scale': SCALE,
    'metric/average-increase.scale': SCALE,
    'metric/average-gain.scale': SCALE,
    'metric/arcc.scale': SCALE,
    'metric/pic-aic.least': 'La plus petite lecture de l’image entière ; en dessous, le score n’est pas défini.',
    'metric/pic-aic.monotone': 'Si la courbe ne redescend jamais.',
    'metric/pic-aic.start': 'Part de pixels tirés au sort, montrés dès le début.',
    'metric/pic-sic.least': 'La plus petite lecture de l’image entière ; en dessous, le score n’est pas défini.',
    'metric/pic-sic.monotone': 'Si la courbe ne redescend jamais.',
    'metric/pic-sic.start': 'Part de pixels tirés au sort, montrés dès le début.',
    'metric/degraded-ranking.metric': 'La mesure mise à l’épreuve.',
    'metric/degraded-ranking.levels': 'Versions de la carte, la première intacte.',
    'metric/degraded-ranking.steps': STEPS,
    'metric/mask-leakage.share': 'Part des pixels dans le masque.',
    'metric/sufficiency-necessity.threshold':
      'À partir de quelle part de la plus grande importance un pixel compte.',
    'metric/sufficiency-necessity.steps':
      'Fractions des pixels importants où la réponse est lue, seuls gardés puis retirés.',
    'metric/sufficiency-necessity.separation_weight':
      'Poids de l’effet de tous les pixels importants ensemble, face aux aires sur le chemin.',
    'metric/sufficiency-necessity.penalty': 'Ce que perd une carte qui dit tout important.',
    'metric/sufficiency-necessity.scale': SCALE,
  },
  names: {
    share: ['Share of pixels', 'Part des pixels'],
    patch: ['Square, pixels', 'Carré, pixels'],
    regions: ['Regions', 'Régions'],
    reads: ['Reads', 'Lit'],
    sizes: ['Sizes', 'Tailles'],
    scaled: ['Forgive a factor', 'Pardonner un facteur'],
    counts: ['Counts', 'Compte'],
    magnitude: ['Rank by size, not sign', 'Classer sans le signe'],
    threshold: ['Threshold', 'Seuil'],
    least: ['Least answer', 'Réponse minimale'],
    monotone: ['Never falls', 'Ne redescend jamais'],
    start: ['Shown at the start', 'Montré au début'],
    metric: ['Tested metric', 'Mesure mise à l’épreuve'],
    levels: ['Versions', 'Versions'],
    separation_weight: ['Weight of separation', 'Poids de la séparation'],
    penalty: ['Penalty for size', 'Pénalité de taille'],
    scale: ['Scale', 'Échelle'],
  },
  choices: {
    combined: ['both orders', 'les deux ordres'],
    target: ['the target', 'la cible'],
    accuracy: ['whether the class stays', 'si la classe reste'],
    gradient: ['a gradient', 'un gradient'],
    contribution: ['contributions', 'des contributions'],
    all: ['all steps', 'tous les pas'],
    share: ['share of steps', 'part des pas'],
    'min-max': ['stretched from 0 to 1', 'étirée de 0 à 1'],
    positive: ['positive part', 'partie positive'],
    random: ['at random', 'au hasard'],
    deletion: ['deletion', 'suppression'],
    insertion: ['insertion', 'insertion'],
    abpc: ['area between curves', 'aire entre les courbes'],
    road: ['ROAD', 'ROAD'],
  },
};
