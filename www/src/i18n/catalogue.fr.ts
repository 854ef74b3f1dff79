/** French for the engine's registries, by id; parameters as `id.name`, or `name` where the help is the same everywhere. */
export const catalogueFr: {
  readonly entries: Readonly<Record<string, { name: string; summary: string; caution?: string } | undefined>>;
  readonly params: Readonly<Record<string, string | undefined>>;
} = {
  entries: {
    gradient: {
      name: 'Gradient',
      summary: 'À quelle vitesse la réponse change quand un pixel change un peu.',
      caution: 'Presque nul partout où la réponse est saturée, même sur des pixels qui comptent.',
    },
  },
  params: {},
};
