/** What embedders import: registers `<lucarne-playground>` and exports its types. */
export { LucarnePlayground } from './lucarne-playground.js';
export type { ExplainedEvent, ScoredEvent } from './events.js';
export type { Attributed, Evaluated, Provenance } from '../protocol.gen.js';
