import type { Group } from './group.js';

export const faithfulness: Group = {
  entries: {},
  params: {},
  names: {},
  choices: {},
};
