import type { reportEn } from './report.en.js';

/** Les textes du rapport. */
export const reportFr: typeof reportEn = {
  goOn: 'Continuer',
  maps: 'Cartes à comparer',
  mapsHere: (count) =>
    count === 0
      ? 'Pas encore de carte : choisissez des méthodes ici, ou expliquez plus haut.'
      : count === 1
        ? 'La carte expliquée plus haut'
        : `Les ${count} cartes expliquées plus haut`,
  alwaysControls: (names) => `Toujours à côté, comme témoins : ${names}.`,
  add: 'Ajouter des méthodes',
  metrics: 'Mesures',
  find: 'Chercher une mesure',
  findMethod: 'Chercher une méthode',
  noMatch: 'Rien ne correspond.',
  chosen: (count, all) => (count > 1 ? `${count} choisies sur ${all}` : `${count} choisie sur ${all}`),
  presets: 'Choisir',
  preset: { small: 'le petit jeu', each: 'une par catégorie', none: 'aucune' },
  imputers: 'Les pixels retirés sont remplis par',
  ofReference: 'le choix de la référence de chaque mesure',
  imputersNote: 'Plusieurs remplissages montrent si un verdict dépend du remplissage.',
  bothOrders: 'Les deux ordres : du plus et du moins pertinent',
  budget: 'Budget, secondes (0 : aucun)',
  draws: 'Remplissages par score',
  drawsNote:
    'Certains remplissages sont tirés au hasard. Un score est alors la moyenne d’autant de remplissages, chacun avec son propre calcul, et se lit avec leur écart.',
  spread: (draws, deviation, lowest, highest) =>
    `Moyenne de ${draws} remplissages ; ils s’écartent de ${deviation} (écart-type), de ${lowest} à ${highest}.`,
  size: (scores) => `${scores} scores à calculer`,
  categories: {
    faithfulness: 'Fidélité',
    localisation: 'Localisation',
    robustness: 'Robustesse',
    complexity: 'Complexité',
    randomisation: 'Randomisation',
    axiomatic: 'Axiomes',
    agreement: 'Accord',
  },
  asks: {
    faithfulness: 'La réponse change-t-elle comme la carte le dit ?',
    localisation: 'La carte trouve-t-elle ce que l’on sait important ?',
    robustness: 'Une image un peu différente reçoit-elle une carte un peu différente ?',
    complexity: 'La carte le dit-elle en peu de pixels ?',
    randomisation: 'La carte dépend-elle de ce que le réseau a appris ?',
    axiomatic: 'La carte tient-elle des promesses exactes ?',
    agreement: 'Deux cartes disent-elles la même chose ?',
  },
  facts: {
    category: 'Catégorie',
    direction: 'Mieux',
    range: 'Étendue',
    needs: 'Demande',
    imputer: 'Sa référence remplit par',
    sensitive: 'Dépend surtout de',
    random: 'Tire des nombres au hasard : recommencez avec d’autres graines.',
  },
  needs: {
    imputer: 'un remplissage des pixels retirés',
    explainer: 'la méthode qui a fait la carte',
    truth: 'un masque de ce qui compte',
    set: 'd’autres images',
    other: 'une seconde carte',
    gradient: 'des gradients',
  },
  lacking: {
    truth: 'cette image n’a pas de masque',
    set: 'ce réseau n’a pas d’autres images',
    gradient: 'ce réseau ne donne pas de gradients',
    other: 'il n’y a qu’une carte',
  },
  orders: { morf: 'du plus pertinent', lerf: 'du moins pertinent' },
  budgetUsed: (seconds, left) =>
    `Le budget de ${seconds} est épuisé ; ${left} n’ont pas été atteints. Continuez pour les calculer : ce qui est là est gardé.`,
  cancelled: (left) => `Le calcul a été annulé ; ${left} n’ont pas été atteints.`,
  scores: (count) => (count === 1 ? '1 score' : `${count} scores`),
  unreached: 'pas atteint',
  took: (time, scored) => `${scored} en ${time}.`,
  undefinedCount: (count) => (count === 1 ? '1 n’est pas défini ici.' : `${count} ne sont pas définis ici.`),
  good: (of) => `bat les ${of} témoins`,
  mixed: (beats, of) => `bat ${beats} témoins sur ${of}`,
  poor: 'pas mieux qu’un seul témoin',
  alone: 'aucun témoin à comparer',
  isControl: 'témoin',
  ranking: 'Classement',
  allPlaces: (count) => `Les ${count} places`,
  rankingLead:
    'Par la place moyenne dans les mesures d’une catégorie, témoins compris. La barre va de la meilleure place à la pire : une barre longue dit que les mesures se contredisent.',
  place: (place) => `${place}.`,
  barAlt: (mean, best, worst) => `place moyenne ${mean}, de ${best} à ${worst}`,
  first: 'premier',
  last: 'dernier',
  byMetrics: (count) => (count === 1 ? 'selon 1 mesure' : `selon ${count} mesures`),
  controlAhead: (method, control) =>
    `${control} passe avant ${method} : selon ces mesures, aucune explication ici ne vaut mieux qu’une carte qui ne sait rien.`,
  controlTies: (method, control) =>
    `${method} et ${control} partagent la première place : selon ces mesures, elle ne vaut pas mieux qu’une carte qui ne sait rien.`,
  beatenHere: (metric, method, value, controls) =>
    `${metric} : ${method} (${value}), la meilleure explication ici, ne bat pas ${controls}. Cela seul ne justifie pas la méfiance : une carte qui ne sait rien peut aussi être simple ou stable.`,
  winner: (method) => `${method} vient en tête.`,
  agreement: 'Les mesures s’accordent-elles ?',
  agreementLead:
    'Corrélation de rang des places des cartes : 1 même ordre, 0 sans lien, −1 ordre inverse. Avec peu de cartes, elle saute facilement.',
  agreementTable: 'Corrélations de rang entre mesures',
  noCorrelation: 'non définie : trop peu de cartes ont les deux scores, ou tous sont égaux',
  disagree: (a, b, value) =>
    `${a} et ${b} se contredisent le plus (${value}) : elles rangent les cartes plutôt à l’inverse, aucune ne suffit donc seule.`,
  agreeAll: 'Ici, aucune paire de mesures ne range les cartes à l’inverse.',
  ordersAgree: (metric, value) =>
    `${metric} : retirer d’abord le plus pertinent et d’abord le moins pertinent s’accordent (${value}).`,
  ordersDisagree: (metric, value) =>
    `${metric} : retirer d’abord le plus pertinent et d’abord le moins pertinent ne s’accordent pas (${value}). C’est peut-être le remplissage qui décide, et non la carte.`,
  ordersNone: (metric) =>
    `${metric} : les deux ordres ne se comparent pas, car l’un d’eux ne distingue aucune carte d’une autre.`,
  parallel: 'Toutes les mesures à la fois',
  parallelLead: 'Une ligne par carte ; en haut est mieux sur chaque axe, de la pire valeur ici à la meilleure.',
  parallelAlt: (maps, metrics) =>
    `Coordonnées parallèles de ${maps} cartes sur ${metrics} mesures ; les mêmes places sont dans le tableau.`,
  placesTable: 'Places : 1 est la meilleure',
  export: 'Enregistrer le rapport',
  exports: { json: 'Tout (JSON)', csv: 'Scores seuls (CSV)', print: 'Imprimer' },
  departures: 'Où nous différons de Quantus, et pourquoi',
  printed: (picture, network) => `${picture}, vue par ${network}`,
};
