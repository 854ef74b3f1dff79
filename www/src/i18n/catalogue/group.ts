/** What a registry entry says in French. */
export interface EntryFr {
  readonly name: string;
  readonly summary: string;
  readonly caution?: string;
  /** Of a metric: its range in words. */
  readonly range?: string;
}

/** A word in both languages: English, then French. */
export type Both = readonly [en: string, fr: string];

/** The texts of one part of the engine's registries, which give their own texts in English. */
export interface Group {
  /** By registry and id: `method/grad-cam`. */
  readonly entries: Readonly<Record<string, EntryFr>>;
  /** French help by registry, id and parameter: `method/grad-cam.layer`. */
  readonly params: Readonly<Record<string, string>>;
  /** Labels of parameters, by name, or by `registry/id.name` where one entry means something else by that name. */
  readonly names: Readonly<Record<string, Both>>;
  /** Words that a parameter of kind `choice` offers, by word. */
  readonly choices?: Readonly<Record<string, Both>>;
}
