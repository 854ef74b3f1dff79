import type { WireError } from '../protocol.gen.js';

/** A failure with a stable code, told as an engine tells it: what, where, and the cure. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: string;
  /** Node, field or layer at fault, where there is one. */
  readonly place: string | null;
  /** The cure, or empty. */
  readonly hint: string;

  constructor(error: WireError) {
    super(error.message);
    this.code = error.code;
    this.place = error.place;
    this.hint = error.hint;
  }
}

/**
 * Codes that come from here and not from an engine:
 * `engine-stopped` (it trapped in a job and starts anew), `engine-blocked` (WebAssembly or workers are forbidden),
 * `engine-silent` (it did not start in time), `asset-missing` (a file of the site can't be had).
 */
export function engineError(code: string, message: string, hint = '', place: string | null = null): EngineError {
  return new EngineError({ code, message, hint, place });
}

/** What a call rejects with when its signal was aborted. */
export function abortError(): DOMException {
  return new DOMException('The job was cancelled.', 'AbortError');
}

/** The text of anything thrown. */
export function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
