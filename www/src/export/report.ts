/** The report as files: everything as JSON, and one line a score as CSV with the columns of `lucarne evaluate`. */
import type { MetricEntry, Provenance, WireValue } from '../protocol.gen.js';
import { agreement, byCategory, ranking, readingOf, type Column } from '../report.js';
import type { Scores, ScoredRow } from '../state.js';

/** What both files are made from. */
export interface Subject {
  readonly scores: Scores;
  readonly picture: string;
  /** The network's first answer. */
  readonly answer: string;
  readonly metrics: readonly MetricEntry[];
}

/** The columns of the command line's file, so that files of both can be joined. */
export const COLUMNS = [
  'picture',
  'inputSha256',
  'label',
  'answer',
  'target',
  'targetLabel',
  'targetKind',
  'method',
  'methodParams',
  'methodImputer',
  'methodImputerParams',
  'metric',
  'metricParams',
  'direction',
  'imputer',
  'imputerParams',
  'draws',
  'order',
  'steps',
  'maskSha256',
  'setSha256',
  'other',
  'otherParams',
  'seed',
  'status',
  'score',
  'deviation',
  'reason',
  'forward',
  'backward',
  'ms',
  'device',
  'model',
  'modelSha256',
  'lucarne',
] as const;

type Line = Partial<Record<(typeof COLUMNS)[number], string | number | Readonly<Record<string, WireValue>> | null>>;

/** A cell as RFC 4180 has it: quoted where it holds a quote, a comma or a line break. */
export function cell(value: Line[keyof Line]): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? params(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function params(values: Readonly<Record<string, WireValue>>): string {
  return Object.keys(values).length === 0 ? '' : JSON.stringify(values);
}

/** On one line. */
function flat(text: string): string {
  return text.split(/\s+/).filter(Boolean).join(' ');
}

function anyProvenance(rows: readonly ScoredRow[]): Provenance | null {
  for (const row of rows) {
    for (const found of Object.values(row.cells)) if (found.state === 'done') return found.result.provenance;
  }
  return null;
}

function line({ scores, picture, answer }: Subject, row: ScoredRow, column: Column): Line {
  const found = row.cells[column.id] ?? { state: 'unreached' };
  const known = anyProvenance(scores.rows);
  const own: Line = {
    picture: flat(picture),
    answer,
    inputSha256: known?.inputSha256 ?? '',
    target: known?.target.class ?? null,
    targetLabel: scores.label,
    targetKind: known?.target.kind ?? '',
    method: row.method,
    methodParams: row.choice.params,
    methodImputer: row.removal?.id ?? '',
    methodImputerParams: row.removal?.params ?? {},
    metric: column.metric,
    direction: column.direction,
    imputer: column.imputer ?? '',
    order: column.order ?? '',
    seed: known?.seed ?? null,
    device: known?.device ?? '',
    model: known?.model ?? '',
    modelSha256: known?.modelSha256 ?? '',
    lucarne: known?.lucarne ?? '',
  };
  if (found.state === 'failed') return { ...own, status: 'failed', reason: flat(found.error.message) };
  if (found.state !== 'done') return { ...own, status: 'unreached', reason: 'the run ended before it' };
  const { score, undefined: why, spread, provenance } = found.result;
  const { order, steps } = provenance.of.params;
  return {
    ...own,
    metricParams: provenance.of.params,
    imputer: provenance.removal?.id ?? '',
    imputerParams: provenance.removal?.params ?? {},
    order: typeof order === 'string' ? order : '',
    steps: typeof steps === 'number' ? steps : null,
    status: score === null ? 'undefined' : 'scored',
    score,
    draws: spread?.draws ?? null,
    deviation: spread?.deviation ?? null,
    reason: flat(why ?? ''),
    forward: provenance.forward,
    backward: provenance.backward,
  };
}

export function reportCsv(subject: Subject): string {
  const { rows, columns } = subject.scores;
  const lines = rows.flatMap((row) =>
    columns.map((column) => {
      const values = line(subject, row, column);
      return COLUMNS.map((name) => cell(values[name])).join(',');
    }),
  );
  return `${[COLUMNS.join(','), ...lines].join('\n')}\n`;
}

export function reportJson(subject: Subject): string {
  const { scores, picture, answer, metrics } = subject;
  const { rows, columns } = scores;
  const document = {
    format: 'lucarne-report',
    version: 1,
    picture,
    answer,
    target: scores.label,
    stopped: scores.stopped,
    seconds: Math.round(scores.seconds * 1000) / 1000,
    columns: columns.map((column) => ({ ...column, about: metrics.find((m) => m.id === column.metric) ?? null })),
    rows: rows.map((row) => ({
      key: row.key,
      method: row.choice,
      removal: row.removal,
      control: row.control,
      cells: Object.fromEntries(
        columns.map((column) => [
          column.id,
          { ...(row.cells[column.id] ?? { state: 'unreached' }), reading: readingOf(rows, column, row) },
        ]),
      ),
    })),
    rankings: byCategory(columns).map((group) => ({
      category: group.category,
      places: ranking(rows, group.columns).map(({ row, ...place }) => ({ key: row.key, ...place })),
    })),
    rankCorrelations: { columns: columns.map((c) => c.id), values: agreement(rows, columns) },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
