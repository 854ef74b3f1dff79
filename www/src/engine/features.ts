/** What this browser's WebAssembly can do, and so which build of the engine it gets. */
import { RELAXED_PROBE } from './probe.js';

/** The builds, by the names of their files. */
export type EngineBuild = 'lucarne' | 'lucarne_relaxed';

/** The build for this browser. */
export function engineBuild(
  validate: (bytes: Uint8Array<ArrayBuffer>) => boolean = (bytes) => WebAssembly.validate(bytes),
): EngineBuild {
  try {
    return validate(new Uint8Array(RELAXED_PROBE)) ? 'lucarne_relaxed' : 'lucarne';
  } catch {
    // Where WebAssembly is forbidden, compiling says so.
    return 'lucarne';
  }
}
