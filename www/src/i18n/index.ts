/** The message catalogue: one typed shape, two languages. A key that is missing in French fails the type check. */
import { en } from './en.js';
import { fr } from './fr.js';
import { catalogueFr } from './catalogue.fr.js';

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
  /** Two significant digits of a percentage: `54 %`. */
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

/** The engine's own texts, which it gives in English. */
export interface EntryText {
  readonly name: string;
  readonly summary: string;
  readonly caution: string;
}

/** A registry entry's texts in `language`; English where there is no translation. */
export function entryText(
  language: Language,
  entry: { readonly id: string; readonly name: string; readonly summary: string; readonly caution?: string },
): EntryText {
  const translated = language === 'fr' ? catalogueFr.entries[entry.id] : undefined;
  return {
    name: translated?.name ?? entry.name,
    summary: translated?.summary ?? entry.summary,
    caution: translated?.caution ?? entry.caution ?? '',
  };
}

/** The name and help of a parameter of the registry entry `id`. */
export function paramText(
  language: Language,
  id: string,
  param: { readonly name: string; readonly doc: string },
): { readonly label: string; readonly doc: string } {
  const label = messages(language).paramNames[param.name as keyof Messages['paramNames']] as string | undefined;
  const doc =
    language === 'fr' ? (catalogueFr.params[`${id}.${param.name}`] ?? catalogueFr.params[param.name]) : undefined;
  return { label: label ?? param.name.replaceAll(/[_-]/g, ' '), doc: doc ?? param.doc };
}
