import type { Group } from './group.js';

export const gradient: Group = {
  entries: {},
  params: {},
  names: {},
  choices: {},
};
