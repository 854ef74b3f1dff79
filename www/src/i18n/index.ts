/** The message catalogue: one typed shape, two languages. A key that is missing in French fails the type check. */
import { en } from './en.js';
import { fr } from './fr.js';
import { entriesFr, paramsFr } from './catalogue.fr.js';

export type Language = 'en' | 'fr';
export type Messages = typeof en;
export type TermId = keyof Messages['terms'];

export const LANGUAGES: readonly Language[] = ['en', 'fr'];

const MESSAGES: Readonly<Record<Language, Messages>> = { en, fr };

export function messages(language: Language): Messages {
  return MESSAGES[language];
}

/** The language that fits a list of preferences such as `navigator.languages`. */
export function preferred(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const found = LANGUAGES.find((l) => tag.toLowerCase().split('-')[0] === l);
    if (found) return found;
  }
  return 'en';
}

export interface Formats {
  /** `54 %`; one decimal near the ends, where it matters. */
  percent(share: number): string;
  /** Three significant digits. */
  number(value: number): string;
  /** Whole numbers with group separators. */
  count(value: number): string;
  /** `12 s`, `3 min`. */
  duration(seconds: number): string;
  list(items: readonly string[]): string;
}

function build(language: Language): Formats {
  const digits = (max: number) => new Intl.NumberFormat(language, { maximumFractionDigits: max });
  const plain = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  const tiny = new Intl.NumberFormat(language, { maximumSignificantDigits: 3, notation: 'scientific' });
  const list = new Intl.ListFormat(language, { type: 'conjunction' });
  return {
    percent: (share) => {
      const value = share * 100;
      if (value > 0 && value < 0.1) return `< ${digits(1).format(0.1)} %`;
      if (value > 99.9 && value < 100) return `> ${digits(1).format(99.9)} %`;
      return `${digits(value < 10 || (value > 99 && value < 100) ? 1 : 0).format(value)} %`;
    },
    number: (value) =>
      value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6) ? tiny.format(value) : plain.format(value),
    count: (value) => digits(0).format(value),
    duration: (seconds) =>
      seconds < 90 ? `${digits(seconds < 9.5 ? 1 : 0).format(seconds)} s` : `${digits(0).format(seconds / 60)} min`,
    list: (items) => list.format(items),
  };
}

const FORMATS: Readonly<Record<Language, Formats>> = { en: build('en'), fr: build('fr') };

export function formats(language: Language): Formats {
  return FORMATS[language];
}

/** The registries; an id is unique within one. */
export type Registry = 'method' | 'metric' | 'imputer';

/** What has texts by its id: the registries, and the criteria of removal. */
export type Texted = Registry | 'criterion';

/** An entry of a registry, as far as its texts go. */
export interface Described {
  readonly id: string;
  readonly name: string;
  readonly summary: string;
  readonly caution?: string;
  readonly range?: string;
}

/** The engine's texts, which it gives in English. */
export interface EntryText {
  readonly name: string;
  readonly summary: string;
  readonly caution: string;
  readonly range: string;
}

/** A registry entry's texts in `language`; English where there is no translation. */
export function entryText(language: Language, registry: Texted, entry: Described): EntryText {
  const { name, summary, caution = '', range = '' } = entry;
  return { name, summary, caution, range, ...(language === 'fr' ? entriesFr[`${registry}/${entry.id}`] : {}) };
}

/** The label and help of a parameter of the entry `key`, `registry/id`. */
export function paramText(
  language: Language,
  key: string,
  param: { readonly name: string; readonly doc: string },
): { readonly label: string; readonly doc: string } {
  const labels: Readonly<Record<string, string>> = messages(language).paramNames;
  const doc = language === 'fr' ? paramsFr[`${key}.${param.name}`] : undefined;
  const label = labels[`${key}.${param.name}`] ?? labels[param.name] ?? param.name.replaceAll(/[_-]/g, ' ');
  return { label, doc: doc ?? param.doc };
}
