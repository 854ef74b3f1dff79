/** Finding an entry of the registries by family and by words. */

/** The families of methods in the order shown, the controls last. */
export const FAMILIES = ['gradient', 'propagation', 'cam', 'attention', 'perturbation', 'control'] as const;
export type Family = (typeof FAMILIES)[number];

/** Letters without case and accents. */
export function plain(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll(/[’']/g, ' ').toLowerCase();
}

/**
 * Those whose text holds every word of the query; those whose name holds the first word at the start of a word come
 * first, the rest keeps its order.
 */
export function search<T>(
  entries: readonly T[],
  query: string,
  text: (entry: T) => { readonly name: string; readonly all: string },
): T[] {
  const words = plain(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...entries];
  const found = entries.flatMap((entry, order) => {
    const { name, all } = text(entry);
    const everything = plain(`${name} ${all}`);
    // Hyphens are often left out: `gradcam`, `grad cam`.
    const tight = everything.replaceAll(/[-\s]/g, '');
    if (!words.every((w) => everything.includes(w) || tight.includes(w.replaceAll('-', '')))) return [];
    const first = words[0] ?? '';
    const rank = plain(name).startsWith(plain(query).trim()) ? 0 : plain(name).includes(first) ? 1 : 2;
    return [{ entry, rank, order }];
  });
  return found.sort((a, b) => a.rank - b.rank || a.order - b.order).map((f) => f.entry);
}

/** Entries by family, in the order of `FAMILIES`; families without entries are left out, unknown ones come before the controls. */
export function byFamily<T extends { readonly family: string }>(
  entries: readonly T[],
): { family: string; entries: T[] }[] {
  const known: readonly string[] = FAMILIES;
  const rank = (family: string) => (known.includes(family) ? known.indexOf(family) : known.length - 1.5);
  const families = [...new Set(entries.map((e) => e.family))].sort((a, b) => rank(a) - rank(b));
  return families.map((family) => ({ family, entries: entries.filter((e) => e.family === family) }));
}
