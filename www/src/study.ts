/** The reports of the study of removal (`docs/removal`), in both languages; the build takes the files in, so that nothing is fetched. */
import english from '../../docs/removal/report.json';
import french from '../../docs/removal/report.fr.json';
import type { Language } from './i18n/index.js';

export interface StudyTable {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface StudySection {
  readonly id: string;
  readonly title: string;
  /** Markdown paragraphs; one that begins with `- ` is an item of a list. */
  readonly text: readonly string[];
  readonly tables: readonly StudyTable[];
  readonly figures: readonly { readonly id: string; readonly caption: string; readonly svg: string }[];
}

export interface Study {
  readonly title: string;
  readonly sections: readonly StudySection[];
}

export const STUDIES: Readonly<Record<Language, Study>> = { en: english, fr: french };

/** Paragraphs as one Markdown text: items that follow each other are one list. */
export function markdown(text: readonly string[]): string {
  return text.reduce((all, part, k) => {
    if (k === 0) return part;
    const item = part.startsWith('- ') && (text[k - 1] ?? '').startsWith('- ');
    return `${all}${item ? '\n' : '\n\n'}${part}`;
  }, '');
}
