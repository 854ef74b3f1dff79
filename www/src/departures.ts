/** `docs/departures.md` as parts of a page; the build takes the file in, so that nothing is fetched. */
import text from '../../docs/departures.md?raw';

export interface Table {
  readonly kind: 'table';
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export type Part =
  { readonly kind: 'heading'; readonly text: string } | { readonly kind: 'text'; readonly text: string } | Table;

/** Cells of a row of a table; `\|` is a bar. */
function cells(line: string): string[] {
  return line
    .trim()
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** Headings, tables and the text between, in order; the title is left out. */
export function parts(markdown: string): Part[] {
  const found: Part[] = [];
  for (const block of markdown.split(/\n\s*\n/)) {
    const lines = block.trim().split('\n');
    const [first = ''] = lines;
    const heading = /^##+ (.*)$/.exec(first);
    if (first === '' || first.startsWith('# ')) continue;
    if (heading) found.push({ kind: 'heading', text: heading[1] ?? '' });
    else if (first.startsWith('|')) {
      found.push({ kind: 'table', head: cells(first), rows: lines.slice(2).map(cells) });
    } else found.push({ kind: 'text', text: block });
  }
  return found;
}

export const DEPARTURES: readonly Part[] = parts(text);
