import type { Group } from './group.js';

export const judgement: Group = {
  entries: {},
  params: {},
  names: {},
  choices: {},
};
