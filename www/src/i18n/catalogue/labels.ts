import { groups } from './all.js';

/** The labels of parameters or of their choices, in one language. */
export function labels(of: 'names' | 'choices', language: 'en' | 'fr'): Readonly<Record<string, string>> {
  const column = language === 'en' ? 0 : 1;
  const words = groups.flatMap((group) => Object.entries(group[of] ?? {}));
  return Object.fromEntries(words.map(([word, both]) => [word, both[column]]));
}
