/** The texts at the head of the engine's files, as blocks and words; `cargo xtask gen docs` collects them. */
import texts from './docs.gen.json';
import type { Page } from './state.js';

export type Section = 'what' | 'formula' | 'shapes' | 'parameters' | 'misleads' | 'reference' | 'parity';
export type Doc = Readonly<Record<Section, string>>;

/** What is known of an entry, or null where its file says nothing. */
export function docOf(page: Page | null): Doc | null {
  if (page === null || !('id' in page)) return null;
  return (texts as Readonly<Record<string, Doc>>)[`${page.registry}/${page.id}`] ?? null;
}

/** A piece of a line: plain, or set apart as code or emphasis. */
export interface Piece {
  readonly kind: 'text' | 'code' | 'em' | 'strong';
  readonly text: string;
}

export type Block =
  | { readonly kind: 'text'; readonly pieces: readonly Piece[] }
  | { readonly kind: 'list'; readonly items: readonly (readonly Piece[])[] }
  | { readonly kind: 'code'; readonly text: string };

const MARKS = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*/g;

/** Code, emphasis and links of a line; a link is its words, since it leads into the engine's own documentation. */
export function pieces(line: string): Piece[] {
  const plain = line.replaceAll(/\[([^\][]+)\](?:\([^)]*\))?/g, (all, words: string) =>
    // Brackets around mathematics stay: only links to items are written as code, or with a target.
    all.endsWith(')') || /^`[^`]+`$/.test(words) ? words : all,
  );
  const out: Piece[] = [];
  let at = 0;
  for (const match of plain.matchAll(MARKS)) {
    const [all, code, strong, em] = match;
    if (match.index > at) out.push({ kind: 'text', text: plain.slice(at, match.index) });
    if (code !== undefined) out.push({ kind: 'code', text: code });
    else out.push(strong === undefined ? { kind: 'em', text: em ?? '' } : { kind: 'strong', text: strong });
    at = match.index + all.length;
  }
  if (at < plain.length) out.push({ kind: 'text', text: plain.slice(at) });
  return out;
}

/** Paragraphs, lists and code blocks of a section. */
export function blocks(text: string): Block[] {
  return text.split(/\n\s*\n/).flatMap((part): Block[] => {
    const code = /^```\w*\n([\s\S]*?)\n?```$/.exec(part.trim());
    if (code) return [{ kind: 'code', text: code[1] ?? '' }];
    const found: Block[] = [];
    let items: string[] = [];
    let words: string[] = [];
    const flush = () => {
      if (words.length > 0) found.push({ kind: 'text', pieces: linked(words) });
      if (items.length > 0) found.push({ kind: 'list', items: items.map((i) => linked([i])) });
      [words, items] = [[], []];
    };
    for (const line of part.split('\n')) {
      const item = /^\s*[-*] (.*)$/.exec(line);
      if (item) {
        if (words.length > 0) flush();
        items.push(item[1] ?? '');
      } else if (items.length > 0) items.push(`${items.pop() ?? ''} ${line.trim()}`);
      else words.push(line.trim());
    }
    flush();
    return found;
  });
}

function linked(lines: readonly string[]): Piece[] {
  return pieces(lines.join(' ').trim());
}
