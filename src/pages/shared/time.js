// The panel's clock, and the formatting of times and numbers.

/**
 * The bridge's clock, on which all reported times are based. If a wall screen used its own
 * clock, and that clock were ten minutes slow, pauses would seem to begin in the future.
 */
export class Clock {
  // The difference between the two clocks lies between these bounds.
  #lowest = -Infinity;
  #highest = Infinity;

  /**
   * Sets the clock from the `Date` header of a response that has just arrived. The header contains
   * whole seconds, so each response only limits the difference to a second and the response time.
   * Together, several responses are more precise.
   *
   * @param {string | null} date
   * @param {number} sentAt when the request was sent, as returned by `Date.now`
   */
  synchronize(date, sentAt) {
    const reported = Date.parse(date ?? "");
    if (Number.isNaN(reported)) return;
    const [lowest, highest] = [reported - Date.now(), reported + 1000 - sentAt];
    const contradicts = lowest > this.#highest || highest < this.#lowest;
    // If the bounds contradict each other, one of the clocks has been set.
    this.#lowest = contradicts ? lowest : Math.max(lowest, this.#lowest);
    this.#highest = contradicts ? highest : Math.min(highest, this.#highest);
  }

  /** Returns the bridge's time, in milliseconds since 1970. */
  now() {
    return Date.now() + this.#offset;
  }

  get #offset() {
    // If the clocks can agree, they are assumed to.
    if (this.#lowest <= 0 && this.#highest >= 0) return 0;
    return (this.#lowest + this.#highest) / 2;
  }
}

/**
 * Formats a duration as `0:07`, `12:34` or `1:02:03`, and two days or more as `3 d`.
 *
 * @param {number} milliseconds
 */
export function formatDuration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds >= 172_800) return `${Math.floor(seconds / 86_400)} d`;
  const pad = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${pad(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(seconds % 60)}`;
}

/**
 * Formats whole seconds as `h:mm:ss`, with as many hours as there are.
 *
 * @param {number} seconds
 */
export function formatHours(seconds) {
  const [minutes, rest] = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, "0"));
  return `${Math.floor(seconds / 3600)}:${minutes}:${rest}`;
}

/**
 * @param {number} number
 * @param {string} noun
 */
export function formatCount(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/**
 * @param {number} milliseconds since 1970
 * @param {"medium" | "short"} [timeStyle] "short" leaves out the seconds
 */
export function formatTimeOfDay(milliseconds, timeStyle = "medium") {
  return new Date(milliseconds).toLocaleTimeString([], { timeStyle });
}

/**
 * Parses a time in RFC 3339 format. Returns milliseconds since 1970, or null for no time.
 *
 * @param {string | null} text
 */
export function parseTime(text) {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? null : time;
}

/**
 * Formats the time until `end`. Rounds up, so that 0:00 means that the time is over.
 *
 * @param {number} end
 * @param {number} now
 */
export function formatRemaining(end, now) {
  return formatDuration(Math.ceil((end - now) / 1000) * 1000);
}

/**
 * Formats a time limit as `45 min`, `1 h 30 min` or `90 s`.
 *
 * @param {number} seconds
 */
export function formatLimit(seconds) {
  if (seconds % 60 !== 0) return `${seconds} s`;
  const [hours, minutes] = [Math.floor(seconds / 3600), (seconds / 60) % 60];
  const parts = [hours > 0 ? `${hours} h` : "", minutes > 0 ? `${minutes} min` : ""];
  return parts.filter(Boolean).join(" ");
}
