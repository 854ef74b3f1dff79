/** Steps of the page's start, for the browser's own timeline. */
export type Step = 'compiled' | 'engine' | 'model' | 'picture' | 'answer';

const seen = new Set<Step>();

/** Marks the first time that a step is reached. */
export function reached(step: Step): void {
  if (seen.has(step)) return;
  seen.add(step);
  performance.mark(`lucarne ${step}`);
}
