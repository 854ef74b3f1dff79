/** What `<lucarne-playground>` tells the page around it. Both events bubble. */
import type { Attributed } from '../protocol.gen.js';
import type { Row } from '../reading.js';

/** `lucarne-explained`: a finished explanation and its raw map, `result.shape`, row-major. */
export type ExplainedEvent = CustomEvent<{ readonly result: Attributed; readonly map: Float32Array }>;

/** `lucarne-scored`: the score table, controls included. */
export type ScoredEvent = CustomEvent<{ readonly rows: readonly Omit<Row, 'key'>[] }>;
