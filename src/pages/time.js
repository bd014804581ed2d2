// The clock of the panel, and how it shows times and numbers.

/**
 * The clock of the bridge. The bridge reports times by its own clock. If the clock of a
 * wall screen is ten minutes off, pauses would otherwise seem to begin in the future.
 */
export class Clock {
  #offset = 0;

  /**
   * Sets the clock by the `Date` header of a response that has just arrived. The header
   * has whole seconds, so half a second is added as the likeliest fraction.
   *
   * @param {string | null} date
   */
  learn(date) {
    const reported = Date.parse(date ?? "");
    if (Number.isNaN(reported)) return;
    const offset = reported + 500 - Date.now();
    // A small difference can come from rounding and from the network.
    this.#offset = Math.abs(offset) < 2000 ? 0 : offset;
  }

  /** Milliseconds since 1970. */
  now() {
    return Date.now() + this.#offset;
  }
}

/**
 * Formats a duration as `0:07`, `12:34` or `1:02:03`; from two days on as `3 d`.
 *
 * @param {number} milliseconds
 */
export function formatDuration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds >= 172_800) return `${Math.floor(seconds / 86_400)} d`;
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/**
 * @param {number} number
 * @param {string} noun
 */
export function formatCount(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** @param {number} milliseconds since 1970 */
export function formatTimeOfDay(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString([], { timeStyle: "medium" });
}
