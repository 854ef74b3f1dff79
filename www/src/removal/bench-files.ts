/** The bench's files: everything as JSON, and the fillings side by side as a picture. */
import type { Formats, Messages } from '../i18n/index.js';
import type { State } from '../state.js';
import { probabilityOf, spreadOf, type Draw, type Filled } from './bench.js';
import { punched, removed, runs } from './masks.js';

/** Settings, the mask as runs, and every filling's answers, gauges and provenance. No pixel of the picture. */
export function benchJson(state: State): string {
  const { bench, modelId, model, picture, prepared, seed, target, answer, catalogue } = state;
  const [first] = bench.filled;
  const label = answer?.find((c) => c.class === first?.target)?.label ?? '';
  const document = {
    format: 'lucarne-removal',
    version: 1,
    model: modelId,
    modelSha256: model?.sha256 ?? '',
    picture: picture?.sample ?? picture?.name ?? '',
    width: prepared?.width ?? 0,
    height: prepared?.height ?? 0,
    seed,
    target: { class: first?.target ?? target, label },
    original: { top: answer?.[0] ?? null, probability: probabilityOf(answer, first?.target ?? target) },
    removal: {
      from: bench.source,
      share: bench.source === 'brush' ? null : bench.share / 100,
      order: bench.source === 'explanation' ? bench.first : null,
      method: bench.source === 'explanation' ? bench.method : null,
      removed: first ? removed(first.mask) : 0,
      /** Lengths of kept and removed pixels in turn, row by row, kept first. */
      runs: first ? runs(first.mask) : [],
    },
    fillings: bench.filled.map((f) => ({
      imputer: f.choice,
      state: f.state,
      seconds: Math.round(f.seconds * 1000) / 1000,
      error: f.error,
      draws: f.draws.map((d) => ({ seed: d.seed, answer: d.answer })),
      gauges: f.gauges,
      provenance: f.provenance,
    })),
    criteria: catalogue?.criteria ?? [],
    film: bench.film && {
      imputer: bench.film.choice,
      method: bench.film.method,
      order: bench.film.first,
      seed: bench.film.seed,
      frames: bench.film.frames.map(({ share, probability, top }) => ({ share, probability, top })),
    },
    removers: bench.removers,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Cells of the sheet, pixels. */
const CELL = 224;
const TEXT = 64;
const GAP = 16;
const COLUMNS = 4;
const FONT = '14px system-ui, sans-serif';

function canvasOf(rgba: Uint8ClampedArray<ArrayBuffer>, width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')?.putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}

/** As much of a text as fits a line. */
function cut(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 0 && context.measureText(`${text.slice(0, end)}…`).width > width) end -= 1;
  return `${text.slice(0, end)}…`;
}

interface Tile {
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  readonly lines: readonly string[];
}

function tiles(state: State, name: (imputer: string) => string, t: Messages, f: Formats): Tile[] {
  const { prepared, answer, bench } = state;
  if (!prepared) return [];
  const [first] = bench.filled;
  const before = answer?.[0];
  const label = answer?.find((c) => c.class === first?.target)?.label ?? '';
  const lines = ({ draws, target }: Filled, [top]: readonly Draw[]): string[] => {
    const values = draws.flatMap((d) => probabilityOf(d.answer, target) ?? []);
    const best = top?.answer[0];
    return [
      best ? `${best.label} ${f.percent(best.probability)}` : '',
      values.length > 0 ? `${label} ${f.percent(spreadOf(values).mean)}` : '',
    ];
  };
  const subject: Tile[] = [
    {
      rgba: prepared.rgba,
      lines: [t.guide.pages.before, before ? `${before.label} ${f.percent(before.probability)}` : ''],
    },
    ...(first ? [{ rgba: punched(prepared.rgba, first.mask), lines: [t.guide.pages.removed, ''] }] : []),
  ];
  const fillings = bench.filled.flatMap((filled) => {
    const [draw] = filled.draws;
    return draw ? [{ rgba: draw.rgba, lines: [name(filled.imputer), ...lines(filled, filled.draws)] }] : [];
  });
  return [...subject, ...fillings];
}

/** The picture, its holes and every filling with its answer, as one PNG. */
export function benchSheet(state: State, name: (imputer: string) => string, t: Messages, f: Formats): Promise<Blob> {
  const all = tiles(state, name, t, f);
  const { width = 1, height = 1 } = state.prepared ?? {};
  const columns = Math.min(COLUMNS, all.length);
  const canvas = document.createElement('canvas');
  canvas.width = columns * (CELL + GAP) + GAP;
  canvas.height = Math.ceil(all.length / columns) * (CELL + TEXT + GAP) + GAP;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser gives no canvas');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = width >= CELL;
  context.font = FONT;
  context.textBaseline = 'top';
  const scale = CELL / Math.max(width, height);
  all.forEach(({ rgba, lines }, k) => {
    const x = GAP + (k % columns) * (CELL + GAP);
    const y = GAP + Math.floor(k / columns) * (CELL + TEXT + GAP);
    context.fillStyle = '#d9d9d9';
    context.fillRect(x, y, width * scale, height * scale);
    context.drawImage(canvasOf(rgba, width, height), x, y, width * scale, height * scale);
    context.fillStyle = '#1c2127';
    lines.forEach((line, row) => context.fillText(cut(context, line, CELL), x, y + CELL + 6 + 18 * row));
  });
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the browser made no PNG'))), 'image/png');
  });
}
