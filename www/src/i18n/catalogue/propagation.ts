import type { Group } from './group.js';

export const propagation: Group = {
  entries: {},
  params: {},
  names: {},
  choices: {},
};
