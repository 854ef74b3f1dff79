import type { Group } from './group.js';

/** The criteria of removal. */
export const criteria: Group = {
  entries: {
    'criterion/psnr': {
      name: 'Rapport signal sur bruit de crête',
      summary: 'À quel point les pixels remplis sont-ils proches de ceux qui ont été retirés ?',
      range: 'en décibels ; plus haut, plus proche',
    },
    'criterion/ssim': {
      name: 'Similarité structurelle',
      summary: 'L’image et son remplissage ont-ils la même luminosité, le même contraste, la même structure ?',
      range: 'de -1 à 1 ; 1 pour des images égales',
    },
    'criterion/feature-distance': {
      name: 'Distance des traits',
      summary: 'À quelle distance de l’image le remplissage se trouve-t-il, dans les traits du réseau expliqué ?',
      range: 'de 0 à 4 ; 0 pour des images égales',
    },
    'criterion/detectability': {
      name: 'Détectabilité',
      summary: 'Un réseau entraîné à cela distingue-t-il les pixels remplis des pixels d’origine ?',
      range: 'de 0 à 1 ; 0,5 est le hasard',
    },
    'criterion/mahalanobis-shift': {
      name: 'Écart de Mahalanobis',
      summary: 'De combien les traits du réseau s’éloignent-ils de ceux des images ordinaires ?',
      range: 'un nombre quelconque ; 0 : aussi ordinaire que l’image',
    },
    'criterion/energy-shift': {
      name: 'Écart d’énergie',
      summary: 'De combien le réseau reconnaît-il moins quelque chose dans le remplissage que dans l’image ?',
      range: 'un nombre quelconque, en logits ; 0 : aussi familier que l’image',
    },
    'criterion/class-leakage': {
      name: 'Fuite de la classe',
      summary: 'Le remplissage rend-il la classe quand il ne reste que le cadre de l’image ?',
      range: 'de 0 à 1',
    },
    'criterion/diversity': {
      name: 'Diversité',
      summary: 'À quelle distance les uns des autres sont les remplissages de plusieurs tirages ?',
      range: '0 et plus, pour des pixels de 0 à 1 ; 0 sans hasard',
    },
  },
  params: {},
  names: {},
};
