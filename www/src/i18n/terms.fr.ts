import type { Messages } from './index.js';

export const termsFr: Messages['terms'] = {
  probability: {
    title: 'Probabilité',
    text: 'Les scores du réseau, ramenés à une somme de 100 %. Elle dit comment le réseau partage sa croyance entre les classes qu’il connaît, non à quelle fréquence il a raison.',
    reference: 'Guo et al. 2017, On Calibration of Modern Neural Networks, arXiv:1706.04599',
  },
  target: {
    title: 'Classe expliquée',
    text: 'Une explication répond à « pourquoi cette classe ? ». Demandez-en une autre et la carte change : essayez la deuxième.',
    reference: 'Simonyan et al. 2013, arXiv:1312.6034',
  },
  logit: {
    title: 'Grandeur expliquée',
    text: 'Le logit est le score d’une classe avant sa conversion en probabilité. Il suit les indices de cette seule classe ; la probabilité bouge aussi quand d’autres classes perdent.',
    reference: 'Captum : choix de la cible, captum.ai',
  },
  attribution: {
    title: 'Carte de chaleur',
    text: 'Un nombre par pixel : combien il a fait bouger la réponse. L’orange parle pour la classe, le bleu contre. Ce que « bouger » veut dire change d’une méthode à l’autre : comparez-en plusieurs.',
    reference: 'Ancona et al. 2018, arXiv:1711.06104',
  },
  imputer: {
    title: 'Remplir les pixels retirés',
    text: 'Un pixel ne peut pas simplement manquer : quelque chose doit le remplacer, et le réseau y réagit aussi. Les scores dépendent de ce choix ; il est donc toujours indiqué.',
    reference: 'Rong et al. 2022 (ROAD), arXiv:2202.00449',
  },
  seed: {
    title: 'Graine',
    text: 'Les méthodes qui tirent au sort donnent le même résultat pour la même graine. Changez-la pour voir si la carte est stable.',
    reference: 'Petsiuk et al. 2018 (RISE), arXiv:1806.07421',
  },
  control: {
    title: 'Témoins',
    text: 'Des cartes qui ignorent ce que le réseau a appris : du bruit, une carte plate, un détecteur de contours, la luminosité. Une explication qui ne les bat pas n’explique rien.',
    reference: 'Adebayo et al. 2018, Sanity Checks for Saliency Maps, arXiv:1810.03292',
  },
  faithfulness: {
    title: 'Fidélité',
    text: 'La réponse change-t-elle comme la carte le dit ? On retire ou dévoile les pixels dans l’ordre de la carte et l’on suit la cible.',
    reference: 'Samek et al. 2017, arXiv:1509.06321',
  },
  order: {
    title: 'Ordre : MoRF et LeRF',
    text: 'MoRF retire d’abord les pixels les plus importants : la réponse doit chuter vite. LeRF retire d’abord les moins importants : elle doit tenir.',
    reference: 'Samek et al. 2017, arXiv:1509.06321 ; Tomsett et al. 2020, arXiv:1912.01451',
  },
  completeness: {
    title: 'Écart de complétude',
    text: 'Certaines méthodes promettent que la somme des valeurs égale le changement de la cible. L’écart dit de combien ce calcul l’a manquée ; plus petit est mieux.',
    reference: 'Sundararajan et al. 2017, arXiv:1703.01365',
  },
  passes: {
    title: 'Passes',
    text: 'Combien de fois le réseau a été exécuté : en avant pour une réponse, en arrière pour un gradient. C’est le vrai prix d’une explication.',
    reference: 'Petsiuk et al. 2018, arXiv:1806.07421',
  },
};
