import type { Group } from './group.js';

export const perturbation: Group = {
  entries: {},
  params: {},
  names: {},
  choices: {},
};
