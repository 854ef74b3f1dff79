import { cam } from './cam.js';
import { core } from './core.js';
import { criteria } from './criteria.js';
import { faithfulness } from './faithfulness.js';
import { gradient } from './gradient.js';
import type { Group } from './group.js';
import { inpainting } from './inpainting.js';
import { judgement } from './judgement.js';
import { patches } from './patches.js';
import { perturbation } from './perturbation.js';
import { propagation } from './propagation.js';
import { removal } from './removal.js';
import { visualisation } from './visualisation.js';

export const groups: readonly Group[] = [
  core,
  gradient,
  propagation,
  cam,
  patches,
  perturbation,
  faithfulness,
  judgement,
  inpainting,
  removal,
  visualisation,
  criteria,
];
