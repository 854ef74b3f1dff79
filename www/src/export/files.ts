/** The files that an explanation can be saved as. */
import { drawn } from '../drawn.js';
import { paint } from '../paint.js';
import { colormapOf, type Explained, type Prepared, type View } from '../state.js';
import { npy } from './npy.js';
import { provenance } from './provenance.js';

export type ExportId = 'map' | 'overlay' | 'raw' | 'provenance';

export const EXPORTS: Readonly<Record<ExportId, string>> = {
  map: '.map.png',
  overlay: '.overlay.png',
  raw: '.npy',
  provenance: '.json',
};

function png(rgba: Uint8ClampedArray<ArrayBuffer>, width: number, height: number): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')?.putImageData(new ImageData(rgba, width, height), 0, 0);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the browser made no PNG'))), 'image/png');
  });
}

/** The map as drawn now (`map` alone, `overlay` over its picture), its raw values, or where it comes from. */
export async function exportFile(id: ExportId, explained: Explained, prepared: Prepared, view: View): Promise<Blob> {
  const { map, result } = explained;
  if (!map || !result) throw new Error('the map is not finished');
  if (id === 'raw') return new Blob([npy(map.shape, map.values)], { type: 'application/octet-stream' });
  if (id === 'provenance') return new Blob([provenance(explained, result)], { type: 'application/json' });
  const { width, height, rgba } = prepared;
  const { plane, scale } = drawn(map, view.reduction, width, height);
  const picture = id === 'map' ? null : { rgba, grey: view.background !== 'colour' };
  return png(paint(plane, { colormap: colormapOf(view), scale, opacity: view.opacity, picture }), width, height);
}
