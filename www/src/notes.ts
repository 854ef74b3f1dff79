/** What the engine has to say of a device, in the page's language. */
import type { WireNote } from './protocol.gen.js';

/** Texts by code; a code that is not known is told as the engine tells it. */
export function noteText(
  { notes }: { readonly notes: Readonly<Record<string, (why: string) => string>> },
  { code, message }: WireNote,
): string {
  return notes[code]?.(message) ?? message;
}
