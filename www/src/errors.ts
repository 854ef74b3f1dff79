/** Anything thrown, as the page shows it. */
import type { WireError } from './protocol.gen.js';

export function wireError(code: string, message: string, hint = '', place: string | null = null): WireError {
  return { code, message, place, hint };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** An engine's error keeps its code, place and hint; anything else becomes `other`. */
export function toWire(thrown: unknown): WireError {
  if (!(thrown instanceof Error)) return wireError('other', String(thrown));
  const { code, place, hint } = thrown as Partial<WireError>;
  return wireError(text(code) || 'other', thrown.message, text(hint), text(place) || null);
}

export function isAbort(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === 'AbortError';
}
