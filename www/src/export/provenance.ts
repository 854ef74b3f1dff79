/** An explanation's origin as JSON: enough to repeat it. */
import type { Attributed } from '../protocol.gen.js';
import type { Explained } from '../state.js';

/** `lucarne` names the format; the fields are those of the protocol's `Attributed`. */
export function provenance(explained: Explained, result: Attributed): string {
  const { shape, signed, layer, completenessGap } = result;
  const document = {
    format: 'lucarne-attribution',
    version: 1,
    map: { shape, signed, layer, completenessGap, layout: shape.length === 3 ? 'C,H,W' : null, type: 'float32' },
    provenance: result.provenance,
    seconds: Math.round(explained.seconds * 1000) / 1000,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
