import type { Group } from './group.js';

const REFERENCE = 'À quoi l’image est comparée.';
const BASELINE =
  'La valeur de chaque pixel et de chaque canal de l’image de référence, après prétraitement ; pour une référence constante.';
const BLUR = 'L’écart type du flou, en pixels ; pour une référence floue.';
const REFERENCES = 'Le nombre de bruits ou d’images données auxquels comparer ; la carte est leur moyenne.';
const SAMPLES = 'Le nombre de copies bruitées de l’image ; chacune demande un gradient.';
const NOISE = 'L’écart type du bruit, en part de l’étendue des valeurs de l’image.';

export const gradient: Group = {
  entries: {
    'method/smooth-grad-squared': {
      name: 'SmoothGrad²',
      summary:
        'La force avec laquelle la réponse réagit à chaque valeur, dans un sens ou l’autre, sur des copies bruitées.',
      caution: 'Ce qui parle pour et ce qui parle contre se ressemblent, et quelques grands gradients noient le reste.',
    },
    'method/var-grad': {
      name: 'VarGrad',
      summary: 'Où le gradient change le plus quand on trouble l’image.',
      caution: 'Il montre où le réseau se courbe, pas ce qu’il utilise : un réseau linéaire donne zéro partout.',
    },
    'method/gradient-shap': {
      name: 'GradientSHAP',
      summary: 'La moyenne des gradients en des points tirés au sort entre des références et l’image.',
      caution: 'Peu de tirages donnent une carte grenue, et les références décident de ce qui compte comme absent.',
    },
    'method/deep-lift': {
      name: 'DeepLIFT',
      summary: 'Ramène à travers le réseau la différence avec une image vide, là où les gradients s’effaceraient.',
      caution:
        'Il suit l’écriture du réseau, et de toutes petites différences peuvent donner d’énormes multiplicateurs.',
    },
    'method/deep-lift-shap': {
      name: 'DeepLIFT-SHAP',
      summary: 'DeepLIFT, en moyenne sur plusieurs images vides.',
      caution:
        'Des références tirées au sort sont d’étranges images, et ce qui compte comme absent décide de la carte.',
    },
    'method/blur-ig': {
      name: 'Gradients intégrés du flou',
      summary: 'Additionne les gradients pendant que l’image sort du flou.',
      caution: 'Les régions lisses ne reçoivent rien, et le bord de l’image reçoit trop.',
    },
    'method/guided-ig': {
      name: 'Gradients intégrés guidés',
      summary:
        'Additionne les gradients sur un chemin vers l’image qui fait bouger d’abord les pixels les plus calmes.',
      caution:
        'Le chemin est choisi pour que la carte paraisse calme, et les pixels comme la référence ne reçoivent rien.',
    },
    'method/xrai': {
      name: 'XRAI',
      summary: 'Classe des régions de l’image par les gradients intégrés qu’elles contiennent pour leur taille.',
      caution: 'Aussi grossier que ses régions : un petit indice donne du crédit à toute une région.',
    },
    'method/full-grad': {
      name: 'FullGrad',
      summary: 'Additionne ce qui passe par l’entrée et par les biais de chaque couche, ramené à la taille de l’image.',
      caution: 'Toutes les couches pèsent autant, et le pour et le contre s’ajoutent au lieu de s’annuler.',
    },
  },
  params: {
    'method/integrated-gradients.reference': REFERENCE,
    'method/integrated-gradients.blur': BLUR,
    'method/integrated-gradients.references': REFERENCES,
    'method/smooth-grad-squared.samples': SAMPLES,
    'method/smooth-grad-squared.noise_level': NOISE,
    'method/var-grad.samples': SAMPLES,
    'method/var-grad.noise_level': NOISE,
    'method/gradient-shap.samples': 'Le nombre de points entre les références et l’image ; chacun demande un gradient.',
    'method/gradient-shap.noise_level': 'L’écart type d’un bruit sur l’image, en part de l’étendue de ses valeurs.',
    'method/gradient-shap.reference': REFERENCE,
    'method/gradient-shap.baseline': BASELINE,
    'method/gradient-shap.blur': BLUR,
    'method/gradient-shap.references': 'Le nombre d’images données parmi lesquelles choisir.',
    'method/deep-lift.reference': REFERENCE,
    'method/deep-lift.baseline': BASELINE,
    'method/deep-lift.blur': BLUR,
    'method/deep-lift-shap.reference': REFERENCE,
    'method/deep-lift-shap.baseline': BASELINE,
    'method/deep-lift-shap.blur': BLUR,
    'method/deep-lift-shap.references': REFERENCES,
    'method/blur-ig.steps': 'Le nombre de flous sur le chemin de l’image nette ; chacun demande un gradient.',
    'method/blur-ig.max_sigma': 'L’écart type du flou le plus large, en pixels.',
    'method/blur-ig.square_root': 'Si les largeurs sont les racines carrées de parts égales, au lieu de parts égales.',
    'method/guided-ig.steps': 'Le nombre de pas du chemin ; chacun demande un gradient et attend le précédent.',
    'method/guided-ig.fraction': 'La part des valeurs, celles aux plus petits gradients, qui bougent ensemble.',
    'method/guided-ig.max_dist': 'À quelle distance de la ligne droite une valeur peut aller, en part de son trajet.',
    'method/guided-ig.reference': REFERENCE,
    'method/guided-ig.baseline': BASELINE,
    'method/guided-ig.blur': BLUR,
    'method/xrai.steps': 'Le nombre de gradients pour chacune des deux références.',
    'method/xrai.algorithm': 'Si chaque choix tient compte de ce que les régions partagent, ou non.',
    'method/xrai.min_pixels': 'Le plus petit nombre de pixels nouveaux d’une région qui compte.',
  },
  names: {
    reference: ['Compared with', 'Comparée à'],
    references: ['Number of references', 'Nombre de références'],
    blur: ['Blur', 'Flou'],
    max_sigma: ['Widest blur', 'Flou le plus large'],
    square_root: ['Square roots', 'Racines carrées'],
    fraction: ['Share moved together', 'Part déplacée ensemble'],
    algorithm: ['Algorithm', 'Algorithme'],
    min_pixels: ['New pixels, at least', 'Pixels nouveaux, au moins'],
    max_dist: ['Leeway', 'Marge'],
  },
  choices: {
    constant: ['one value', 'une seule valeur'],
    blurred: ['the picture, blurred', 'l’image, floue'],
    noise: ['noise', 'bruit'],
    full: ['full', 'complet'],
    fast: ['fast', 'rapide'],
    picture: ['another picture', 'une autre image'],
  },
};
