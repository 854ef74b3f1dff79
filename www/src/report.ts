/** What a report compares: its columns, the ranks in them, how far they agree, and what a number says here. */
import { choice, findMetric } from './plan.js';
import type { Choice, MetricEntry } from './protocol.gen.js';
import { better, score, type Direction, type Row } from './reading.js';
import type { State } from './state.js';

/** The categories of metrics in the order shown. */
export const CATEGORIES = [
  'faithfulness',
  'localisation',
  'robustness',
  'complexity',
  'randomisation',
  'axiomatic',
  'agreement',
] as const;

export type Order = 'morf' | 'lerf';

/** One metric, one way of removing pixels, one order. */
export interface Column {
  readonly id: string;
  readonly metric: string;
  readonly category: string;
  readonly direction: Direction;
  /** The imputer's id where the metric removes pixels. */
  readonly imputer: string | null;
  /** The order where the report runs both. */
  readonly order: Order | null;
}

/** The imputer of a metric's reference. */
export const REFERENCE = '';

/** The imputer that stands in where a reference names none. */
const FALLBACK = 'constant';

export function referenceImputer(metric: MetricEntry): string {
  return metric.imputer || FALLBACK;
}

/** Whether a metric can be run most relevant first and least relevant first, the one being the mirror of the other. */
export function hasBothOrders(metric: MetricEntry): boolean {
  const order = metric.params.find((p) => p.name === 'order');
  return order?.default === 'morf' && order.choices.includes('lerf');
}

/** The metric with the column's order. */
export function metricChoice(state: State, metric: MetricEntry, order: Order | null): Choice {
  const { id, params } = choice(state, 'metric', metric);
  return { id, params: order === null ? params : { ...params, order } };
}

function directionOf(metric: MetricEntry, chosen: Choice): Direction {
  const own = metric.direction as Direction;
  if (!hasBothOrders(metric) || chosen.params['order'] !== 'lerf') return own;
  return own === 'higher' ? 'lower' : 'higher';
}

/** The columns that the plan asks for, category by category. */
export function columnsOf(state: State): Column[] {
  const { plan, catalogue } = state;
  const rank = (m: MetricEntry) => {
    const at = (CATEGORIES as readonly string[]).indexOf(m.category);
    return at === -1 ? CATEGORIES.length : at;
  };
  const metrics = plan.metrics.flatMap((id) => findMetric(catalogue, id) ?? []);
  return [...metrics]
    .sort((a, b) => rank(a) - rank(b))
    .flatMap((metric) => {
      const own = plan.removal[metric.id] ?? referenceImputer(metric);
      const wanted = plan.imputers.length > 0 ? plan.imputers : [REFERENCE];
      const imputers = metric.needs.includes('imputer')
        ? [...new Set(wanted.map((id) => (id === REFERENCE ? own : id)))]
        : [null];
      const orders: (Order | null)[] = plan.bothOrders && hasBothOrders(metric) ? ['morf', 'lerf'] : [null];
      const alone = imputers.length * orders.length === 1;
      return imputers.flatMap((imputer) =>
        orders.map((order) => ({
          id: alone ? metric.id : [metric.id, imputer, order].filter((part) => part !== null).join('@'),
          metric: metric.id,
          category: metric.category,
          direction: directionOf(metric, metricChoice(state, metric, order)),
          imputer,
          order,
        })),
      );
    });
}

/** Ranks by falling goodness, 1 for the best, equal values sharing the mean of their ranks; null stays null. */
export function ranks(values: readonly (number | null)[], direction: Direction): (number | null)[] {
  const order = values
    .flatMap((value, at) => (value === null ? [] : [{ value, at }]))
    .sort((a, b) => better(b.value, a.value, direction));
  const out: (number | null)[] = values.map(() => null);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to + 1 < order.length && order[to + 1]?.value === order[from]?.value) to += 1;
    for (let k = from; k <= to; k++) {
      const entry = order[k];
      if (entry) out[entry.at] = (from + to) / 2 + 1;
    }
    from = to + 1;
  }
  return out;
}

/** Fewest maps whose order two metrics can agree about. */
export const FEWEST = 3;

/**
 * Spearman's rank correlation over the maps that both columns score, ties by mean ranks. Null where there are fewer
 * than `FEWEST` of them, or where one column tells no two of them apart.
 */
export function rankCorrelation(rows: readonly Row[], a: Column, b: Column): number | null {
  const both = rows.filter((row) => score(row, a.id) !== null && score(row, b.id) !== null);
  if (both.length < FEWEST) return null;
  const of = (column: Column) =>
    ranks(
      both.map((row) => score(row, column.id)),
      column.direction,
    ).map((rank) => (rank ?? 0) - (both.length + 1) / 2);
  const [x, y] = [of(a), of(b)];
  const dot = (u: readonly number[], v: readonly number[]) => u.reduce((sum, value, k) => sum + value * (v[k] ?? 0), 0);
  const scale = Math.sqrt(dot(x, x) * dot(y, y));
  return scale === 0 ? null : dot(x, y) / scale;
}

/** Correlations of all pairs; the diagonal is 1 where the column tells maps apart. */
export function agreement(rows: readonly Row[], columns: readonly Column[]): (number | null)[][] {
  return columns.map((a) => columns.map((b) => rankCorrelation(rows, a, b)));
}

/** The same metric and imputer in both orders. */
export interface OrderPair {
  readonly morf: Column;
  readonly lerf: Column;
  readonly correlation: number | null;
}

export function orderPairs(rows: readonly Row[], columns: readonly Column[]): OrderPair[] {
  return columns
    .filter((c) => c.order === 'morf')
    .flatMap((morf) => {
      const same = (c: Column) => c.order === 'lerf' && c.metric === morf.metric && c.imputer === morf.imputer;
      const lerf = columns.find(same);
      return lerf ? [{ morf, lerf, correlation: rankCorrelation(rows, morf, lerf) }] : [];
    });
}

/** A map's place in a category. */
export interface Standing<R extends Row = Row> {
  readonly row: R;
  /** Mean over the metrics that score it: 0 best of all maps, 1 worst. */
  readonly mean: number;
  readonly best: number;
  readonly worst: number;
  /** Metrics that score it. */
  readonly metrics: number;
}

/** The maps by their mean place in `columns`, best first; those that no column scores are left out. */
export function ranking<R extends Row>(rows: readonly R[], columns: readonly Column[]): Standing<R>[] {
  const places = new Map<string, number[]>();
  for (const column of columns) {
    const found = ranks(
      rows.map((row) => score(row, column.id)),
      column.direction,
    );
    const count = found.filter((rank) => rank !== null).length;
    if (count < 2) continue;
    rows.forEach((row, at) => {
      const rank = found[at] ?? null;
      if (rank !== null) places.set(row.key, [...(places.get(row.key) ?? []), (rank - 1) / (count - 1)]);
    });
  }
  return rows
    .flatMap((row) => {
      const own = places.get(row.key);
      if (!own) return [];
      const mean = own.reduce((sum, place) => sum + place, 0) / own.length;
      return [{ row, mean, best: Math.min(...own), worst: Math.max(...own), metrics: own.length }];
    })
    .sort((a, b) => a.mean - b.mean);
}

/** Columns by category, in the order of the columns. */
export function byCategory(columns: readonly Column[]): { category: string; columns: Column[] }[] {
  const names = [...new Set(columns.map((c) => c.category))];
  return names.map((category) => ({ category, columns: columns.filter((c) => c.category === category) }));
}

/** What a number says beside the controls: better than all, than some or than none of them. */
export interface Reading {
  readonly kind: 'good' | 'mixed' | 'poor' | 'alone' | 'control';
  /** Controls that it beats. */
  readonly beats: number;
  /** Controls that have a number. */
  readonly of: number;
}

export function readingOf(rows: readonly Row[], column: Column, row: Row): Reading | null {
  const value = score(row, column.id);
  if (value === null) return null;
  if (row.control) return { kind: 'control', beats: 0, of: 0 };
  const bars = rows.filter((r) => r.control).flatMap((r) => score(r, column.id) ?? []);
  const beats = bars.filter((bar) => better(value, bar, column.direction) > 0).length;
  const kind = bars.length === 0 ? 'alone' : beats === bars.length ? 'good' : beats === 0 ? 'poor' : 'mixed';
  return { kind, beats, of: bars.length };
}

/** How many cells are in which state. */
export function tally(
  rows: readonly Row[],
  columns: readonly Column[],
): Record<'scored' | 'undefined' | 'failed' | 'unreached', number> {
  const count = { scored: 0, undefined: 0, failed: 0, unreached: 0 };
  for (const row of rows) {
    for (const column of columns) {
      const cell = row.cells[column.id];
      if (cell?.state === 'done') count[cell.result.score === null ? 'undefined' : 'scored'] += 1;
      else if (cell?.state === 'failed') count.failed += 1;
      else count.unreached += 1;
    }
  }
  return count;
}

/** The two columns that agree least, where they order the maps rather against each other than alike. */
export function worstPair(
  rows: readonly Row[],
  columns: readonly Column[],
): { readonly a: Column; readonly b: Column; readonly correlation: number } | null {
  let worst: { a: Column; b: Column; correlation: number } | null = null;
  columns.forEach((a, i) => {
    for (const b of columns.slice(i + 1)) {
      const correlation = rankCorrelation(rows, a, b);
      if (correlation !== null && correlation < 0 && correlation < (worst?.correlation ?? 1))
        worst = { a, b, correlation };
    }
  });
  return worst;
}
