/** Time left of a job, from its progress. */
export class TimeLeft {
  readonly #now: () => number;
  #begun: { at: number; done: number } | null = null;

  /** `now` gives milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Seconds left after `done` of `total`; null as long as a guess would be worthless. */
  after(done: number, total: number): number | null {
    const at = this.#now();
    // The first report starts the clock: what came before it is set-up, which does not repeat.
    if (this.#begun === null || done < this.#begun.done) this.#begun = { at, done };
    const { at: from, done: before } = this.#begun;
    if (total <= done) return 0;
    if (at - from < 250 || done === before) return null;
    return ((at - from) / (done - before) / 1000) * (total - done);
  }
}
