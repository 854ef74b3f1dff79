/** Edits of a suggested model card, as the form makes them. */
import type { Layout, ModelCard } from './protocol.gen.js';

export type PresetId = 'imagenet' | 'symmetric' | 'unit' | 'bytes';

/** Mean and standard deviation in pixel values `[0, 1]`: `x = (v - mean) / std`. One number stands for all channels. */
const PRESETS: Readonly<Record<PresetId, { mean: readonly number[]; std: readonly number[] }>> = {
  imagenet: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  symmetric: { mean: [0.5], std: [0.5] },
  unit: { mean: [0], std: [1] },
  bytes: { mean: [0], std: [1 / 255] },
};

export const PRESET_IDS = Object.keys(PRESETS) as readonly PresetId[];

export function channelsOf(card: ModelCard): number {
  const { shape, layout } = card.input;
  return shape[layout === 'nchw' ? 1 : 3] ?? 3;
}

function spread(values: readonly number[], channels: number): number[] {
  return Array.from({ length: channels }, (_, i) => values[values.length === 1 ? 0 : i % values.length] ?? 0);
}

export function withPreset(card: ModelCard, id: PresetId): ModelCard {
  const channels = channelsOf(card);
  const mean = spread(PRESETS[id].mean, channels);
  const std = spread(PRESETS[id].std, channels);
  return { ...card, preprocessing: { ...card.preprocessing, mean, std } };
}

/** The preset that the card's numbers are, or null. */
export function presetOf(card: ModelCard): PresetId | null {
  const close = (a: readonly number[], b: readonly number[]) =>
    a.length === b.length && a.every((v, i) => Math.abs(v - (b[i] ?? NaN)) < 1e-6);
  const channels = channelsOf(card);
  const { mean, std } = card.preprocessing;
  const fits = (id: PresetId) =>
    close(spread(mean, channels), spread(PRESETS[id].mean, channels)) &&
    close(spread(std, channels), spread(PRESETS[id].std, channels));
  return PRESET_IDS.find(fits) ?? null;
}

/** Numbers separated by spaces, commas or semicolons; null where one of them is none. */
export function parseNumbers(text: string): number[] | null {
  const words = text.split(/[\s;,]+/).filter(Boolean);
  const numbers = words.map(Number);
  return words.length > 0 && numbers.every(Number.isFinite) ? numbers : null;
}

/** The same shape read in the other order of axes. */
export function withLayout(card: ModelCard, layout: Layout): ModelCard {
  return { ...card, input: { ...card.input, layout } };
}
