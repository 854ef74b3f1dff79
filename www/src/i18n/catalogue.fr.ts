/** French for the engine's registries: entries by registry and id, parameters by registry, id and name. */
import { groups } from './catalogue/all.js';
import type { EntryFr } from './catalogue/group.js';

export const entriesFr: Readonly<Record<string, EntryFr>> = Object.fromEntries(
  groups.flatMap((group) => Object.entries(group.entries)),
);

export const paramsFr: Readonly<Record<string, string>> = Object.fromEntries(
  groups.flatMap((group) => Object.entries(group.params)),
);
