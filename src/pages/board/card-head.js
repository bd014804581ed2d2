// The head of a queue's card: the waiting callers, the agents in each state, and the statistics.

import { create, createIcon, find, setIcon, setText } from "../shared/dom.js";
import { knownCounts, longestWaitStart } from "../shared/state.js";
import { formatDuration } from "../shared/time.js";

/**
 * @import { QueueStatistics } from "../bridge"
 * @import { BoardQueue } from "../shared/state.js"
 */

// The words of the counts: states, and the agents whose pause is over its limit.
const COUNTS = {
  available: "free",
  in_call: "in call",
  paused: "paused",
  overdue: "over limit",
  wrap_up: "wrap-up",
  ringing: "ringing",
  on_hold: "on hold",
  unavailable: "unavailable",
};

// The counts that are shown even if they are 0.
const ALWAYS_SHOWN = ["available", "in_call", "paused"];

export class CardHead {
  #wait;
  #waitIcon;
  #time;
  #longest;
  #statistics;
  /** @type {Map<string, { item: HTMLElement, number: HTMLElement, word: HTMLElement }>} by state, and `overdue` */
  #counts = new Map();

  /** @param {HTMLElement} card */
  constructor(card) {
    this.#wait = find(card, ".wait");
    this.#waitIcon = find(this.#wait, "svg", SVGElement);
    this.#longest = find(card, ".longest");
    this.#time = find(this.#longest, "time");
    this.#statistics = find(card, ".statistics");
    const states = find(card, ".states");
    for (const [state, text] of Object.entries(COUNTS)) {
      const number = create("b");
      const word = create("span", {}, text);
      const item = create("li", { data: { state } }, createIcon(state), number, word);
      states.append(item);
      this.#counts.set(state, { item, number, word });
    }
  }

  /** @param {BoardQueue} queue */
  update(queue) {
    const waiting = queue.callers.length;
    setText(find(this.#wait, "strong"), String(waiting));
    this.#wait.classList.toggle("some", waiting > 0);
    this.#longest.hidden = waiting === 0;
    const counts = knownCounts(queue);
    for (const [state, { item, number }] of this.#counts) {
      const count = counts?.[state] ?? 0;
      setText(number, counts === null ? "–" : String(count));
      item.classList.toggle("none", count === 0);
      item.hidden = count === 0 && !ALWAYS_SHOWN.includes(state);
    }
    this.#updateFree(waiting > 0 && counts !== null && !counts.available);
    this.#updateStatistics(queue.statistics);
  }

  /**
   * Updates the wait of the caller who has waited longest. Returns whether it is late.
   *
   * @param {BoardQueue} queue
   * @param {number} now
   * @param {number} lateAfter the wait after which a caller is late, in milliseconds
   */
  tick(queue, now, lateAfter) {
    const start = longestWaitStart(queue);
    const isLate = start !== null && now - start >= lateAfter;
    this.#wait.classList.toggle("late", isLate);
    setIcon(this.#waitIcon, isLate ? "warning" : "caller");
    if (start !== null) setText(this.#time, formatDuration(now - start));
    return isLate;
  }

  /** @param {boolean} isUnstaffed whether a caller waits, and no agent is available */
  #updateFree(isUnstaffed) {
    const free = this.#counts.get("available");
    if (!free) return;
    free.item.classList.toggle("unstaffed", isUnstaffed);
    free.number.hidden = isUnstaffed;
    setText(free.word, isUnstaffed ? "nobody free" : COUNTS.available);
    setIcon(find(free.item, "svg", SVGElement), isUnstaffed ? "warning" : "available");
  }

  /** @param {Partial<QueueStatistics> | null} statistics */
  #updateStatistics(statistics) {
    const list = this.#statistics;
    const entries = statisticsEntries(statistics);
    if (list.childElementCount !== entries.length) {
      list.replaceChildren(...entries.map(() => create("div", {}, create("dt"), create("dd"))));
    }
    entries.forEach(([term, text], index) => {
      const entry = list.children[index];
      setText(find(entry, "dt"), term);
      setText(find(entry, "dd"), text);
    });
  }
}

/**
 * Returns the terms and values to show, omitting values that the bridge has not sent.
 *
 * @param {Partial<QueueStatistics> | null} statistics
 */
function statisticsEntries(statistics) {
  /** @type {[string, string][]} */
  const entries = [];
  if (statistics === null) return entries;
  /**
   * @param {string} term
   * @param {number | null | undefined} value
   * @param {(value: number) => string} format
   */
  const add = (term, value, format) => {
    if (typeof value === "number") entries.push([term, format(value)]);
  };
  const { completed, abandoned, abandoned_percent: percent } = statistics;
  add("Answered", completed, String);
  // Without calls there are no percentages and no averages.
  const hasCalls = (completed ?? 0) + (abandoned ?? 0) > 0;
  const share = hasCalls && typeof percent === "number" ? ` (${formatPercent(percent)})` : "";
  add("Abandoned", abandoned, (value) => `${value}${share}`);
  if (!hasCalls) return entries;
  add(`Within ${statistics.service_level_seconds} s`, statistics.service_level_percent, formatPercent);
  add("Avg. wait", statistics.average_hold_seconds, (seconds) => formatDuration(seconds * 1000));
  add("Avg. talk", statistics.average_talk_seconds, (seconds) => formatDuration(seconds * 1000));
  return entries;
}

/** @param {number} percent */
function formatPercent(percent) {
  return `${Math.round(percent * 10) / 10} %`;
}
