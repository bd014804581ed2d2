// Repeats a read while its result is shown.

/**
 * @typedef {(isCurrent: () => boolean) => Promise<number | null>} RepeatedRead reads and shows the
 *   result, unless `isCurrent` then returns false, because a later read has begun or nothing is
 *   shown any more. Returns after how many milliseconds to read again; null for never
 */

export class Refresher {
  #read;
  #isActive = false;
  // Counts the reads.
  #current = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;

  /** @param {RepeatedRead} read */
  constructor(read) {
    this.#read = read;
    // A page in the background does not read.
    document.addEventListener("visibilitychange", () => {
      if (this.#isActive && !document.hidden) this.refresh();
    });
  }

  /**
   * Reads now if the result was not shown before, and repeats the read as long as it is shown.
   *
   * @param {boolean} isActive whether the result is shown
   */
  setActive(isActive) {
    if (this.#isActive === isActive) return;
    this.#isActive = isActive;
    if (isActive) this.refresh();
    else this.#stop();
  }

  /** Reads now. Ignores the result of a read that is under way. */
  async refresh() {
    this.#stop();
    const number = this.#current;
    const isCurrent = () => number === this.#current;
    const delay = await this.#read(isCurrent);
    if (delay === null || !isCurrent()) return;
    this.#timer = setTimeout(() => {
      if (!document.hidden) this.refresh();
    }, delay);
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#current += 1;
  }
}
