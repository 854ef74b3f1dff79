/** Reads a score table: sorting, the best value of a column, and whether an explanation beats the controls. */
import type { Evaluated, WireError } from './protocol.gen.js';

export type Direction = 'higher' | 'lower';

export type Cell =
  | { readonly state: 'pending' }
  /** The run ended before it. */
  | { readonly state: 'unreached' }
  | { readonly state: 'done'; readonly result: Evaluated }
  | { readonly state: 'failed'; readonly error: WireError };

/** A method's scores by metric id. */
export interface Row {
  readonly key: string;
  readonly name: string;
  readonly control: boolean;
  readonly cells: Readonly<Record<string, Cell>>;
}

/** The number in a cell, or null where it is pending, failed or undefined. */
export function score(row: Row, metric: string): number | null {
  const cell = row.cells[metric];
  return cell?.state === 'done' ? cell.result.score : null;
}

/** Positive where `a` is better than `b`. */
export function better(a: number, b: number, direction: Direction): number {
  return direction === 'higher' ? a - b : b - a;
}

function best<R extends Row>(rows: readonly R[], metric: string, direction: Direction): R | null {
  let top: R | null = null;
  for (const row of rows) {
    const value = score(row, metric);
    const sofar = top && score(top, metric);
    if (value !== null && (sofar === null || better(value, sofar, direction) > 0)) top = row;
  }
  return top;
}

/** Keys of the rows that share the best value of a column. */
export function bestKeys(rows: readonly Row[], metric: string, direction: Direction): ReadonlySet<string> {
  const top = best(rows, metric, direction);
  const value = top && score(top, metric);
  return new Set(rows.filter((row) => value !== null && score(row, metric) === value).map((row) => row.key));
}

export type SortOrder = 'ascending' | 'descending';

/** What the table is sorted by: a metric's id, or the name. */
export interface Sorting {
  readonly by: string;
  readonly order: SortOrder;
}

export const BY_NAME = 'name';

/** Sorted rows; rows without a value come last in either order, and equal rows keep their order. */
export function sortRows<R extends Row>(rows: readonly R[], { by, order }: Sorting): R[] {
  const sign = order === 'ascending' ? 1 : -1;
  if (by === BY_NAME) return [...rows].sort((a, b) => sign * a.name.localeCompare(b.name));
  return [...rows].sort((a, b) => {
    const [va, vb] = [score(a, by), score(b, by)];
    if (va === null || vb === null) return Number(va === null) - Number(vb === null);
    return sign * (va - vb);
  });
}

/** The order that puts the best value first. */
export function bestFirst(direction: Direction): SortOrder {
  return direction === 'higher' ? 'descending' : 'ascending';
}

/** One metric's outcome for the best explanation. */
export type Verdict<R extends Row> =
  | { readonly kind: 'beats-all'; readonly method: R; readonly control: R }
  | { readonly kind: 'beaten'; readonly method: R; readonly by: readonly R[] }
  | { readonly kind: 'ties'; readonly method: R; readonly control: R }
  | { readonly kind: 'nothing' };

/** Compares the best explanation of a column with the controls. */
export function verdict<R extends Row>(rows: readonly R[], metric: string, direction: Direction): Verdict<R> {
  const controls = rows.filter((row) => row.control && score(row, metric) !== null);
  const method = best(
    rows.filter((row) => !row.control),
    metric,
    direction,
  );
  const control = best(controls, metric, direction);
  const value = method && score(method, metric);
  const bar = control && score(control, metric);
  if (!method || !control || value === null || bar === null) return { kind: 'nothing' };
  const ahead = better(value, bar, direction);
  if (ahead > 0) return { kind: 'beats-all', method, control };
  if (ahead === 0) return { kind: 'ties', method, control };
  const by = controls.filter((row) => better(score(row, metric) ?? value, value, direction) > 0);
  return { kind: 'beaten', method, by };
}
