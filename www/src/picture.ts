/** Decodes a picture file into RGBA at its own size. */

/** Longest side kept, pixels. */
export const LONGEST_SIDE = 4096;

export interface Decoded {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
  /** Size before it was capped, where it was. */
  readonly reducedFrom: readonly [number, number] | null;
}

/** The size within the cap, same proportions. */
export function capped(width: number, height: number, longest = LONGEST_SIDE): [number, number] {
  const share = Math.min(1, longest / Math.max(width, height));
  return [Math.max(1, Math.round(width * share)), Math.max(1, Math.round(height * share))];
}

/**
 * Upright by its EXIF orientation, in sRGB, transparency laid over white. Rejects where the browser can't read it.
 */
export async function decode(file: Blob): Promise<Decoded> {
  const full = await createImageBitmap(file, { imageOrientation: 'from-image' });
  const original: [number, number] = [full.width, full.height];
  const [width, height] = capped(...original);
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('this browser gives no canvas');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(full, 0, 0, width, height);
  full.close();
  const { data } = context.getImageData(0, 0, width, height);
  const reduced = width !== original[0] || height !== original[1];
  return { width, height, rgba: new Uint8Array(data.buffer), reducedFrom: reduced ? original : null };
}

/** Whether a dropped file is meant as a network. */
export function isNetwork(file: File): boolean {
  return /\.onnx$/i.test(file.name);
}

export function isLabels(file: File): boolean {
  return /\.(txt|csv)$/i.test(file.name);
}

/** One label a line; empty lines at the end are dropped. */
export function parseLabels(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.trim());
}
