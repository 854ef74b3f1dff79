import type { Group } from './group.js';

/** Feature visualisation. */
export const visualisation: Group = {
  entries: {},
  params: {
    'tool/visualisation.objective':
      'Ce qui doit répondre : le logit de la classe choisie, la moyenne d’un canal d’une couche, ou une seule valeur de ce canal.',
    'tool/visualisation.layer': 'La couche du canal ; vide : celle du modèle par défaut.',
    'tool/visualisation.channel': 'Le canal, compté à partir de 0.',
    'tool/visualisation.row': 'Place du neurone, du haut (0) au bas (1).',
    'tool/visualisation.column': 'Place du neurone, de la gauche (0) à la droite (1).',
    'tool/visualisation.steps': 'Pas de la montée ; chacun demande un passage avant et un passage arrière.',
    'tool/visualisation.learning_rate': 'Taille d’un pas d’Adam.',
    'tool/visualisation.jitter': 'Décalage au hasard avant chaque regard, en pixels au plus.',
    'tool/visualisation.scale': 'Changement de taille au hasard avant chaque regard, relatif.',
    'tool/visualisation.rotation': 'Rotation au hasard avant chaque regard, en degrés au plus.',
    'tool/visualisation.decay':
      'À quel point les échelles fines partent plus faibles que les grandes : 0 comme un bruit blanc, 1 comme les images naturelles.',
    'tool/visualisation.start': 'Écart type du spectre tiré au sort d’où part la montée.',
  },
  names: {
    objective: ['Objective', 'Objectif'],
    channel: ['Channel', 'Canal'],
    row: ['Row, share', 'Ligne, part'],
    column: ['Column, share', 'Colonne, part'],
    learning_rate: ['Step size', 'Taille du pas'],
    jitter: ['Shift, pixels', 'Décalage, pixels'],
    'tool/visualisation.scale': ['Change of size', 'Changement de taille'],
    rotation: ['Rotation, degrees', 'Rotation, degrés'],
    decay: ['Coarse before fine', 'Du grossier au fin'],
    'tool/visualisation.start': ['Start', 'Départ'],
  },
  choices: {
    logit: ['the logit of the class', 'le logit de la classe'],
    channel: ['a channel of a layer', 'un canal d’une couche'],
    neuron: ['one place of a channel', 'un endroit d’un canal'],
  },
};
