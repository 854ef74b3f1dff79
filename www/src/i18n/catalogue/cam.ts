import type { Group } from './group.js';

export const cam: Group = {
  entries: {},
  params: {},
  names: {},
  choices: {},
};
