// The totals of all queues, at the top of the board and in the page title.

import { byId, create, createIcon, find, setText } from "../shared/dom.js";
import { STATE_LABELS } from "../shared/member.js";
import { longestWaitStart } from "../shared/state.js";
import { formatDuration } from "../shared/time.js";

/**
 * @import { People } from "../shared/people.js"
 * @import { Board } from "../shared/state.js"
 */

// The totals of people that the page always shows, and those that it shows after somebody has been
// in that state. From then on they stay, so that nothing moves.
const ALWAYS_SHOWN = ["available", "paused", "in_call", "wrap_up"];
const SHOWN_IF_NEEDED = ["unavailable", "on_hold", "ringing"];

/** The totals of people. They are buttons that filter the people. */
export class PeopleTotals {
  /** @type {Map<string, HTMLButtonElement>} by total */
  #buttons = new Map();

  /** @param {(total: string) => void} onPress */
  constructor(onPress) {
    for (const total of [...ALWAYS_SHOWN, ...SHOWN_IF_NEEDED]) {
      const button = createButton(total);
      button.hidden = !ALWAYS_SHOWN.includes(total);
      button.addEventListener("click", () => onPress(total));
      this.#buttons.set(total, button);
    }
    byId("people-totals").replaceChildren(...this.#buttons.values());
  }

  /**
   * Marks the total that is the filter.
   *
   * @param {string | null} pressed
   */
  press(pressed) {
    for (const [total, button] of this.#buttons) button.ariaPressed = String(total === pressed);
  }

  /** @param {People} people */
  update(people) {
    for (const [total, button] of this.#buttons) {
      const count = people.count(total);
      if (count > 0) button.hidden = false;
      button.classList.toggle("none", count === 0);
      setText(find(button, `[data-total="${total}"]`), String(count));
    }
    const overdue = people.count("overdue");
    const over = find(document, "#people-totals .over");
    over.classList.toggle("none", overdue === 0);
    setText(find(over, "b"), String(overdue));
  }
}

/** @param {string} total */
function createButton(total) {
  const label = total === "available" ? "Free" : STATE_LABELS[total];
  const button = create("button", { type: "button", className: "total", data: { state: total } });
  button.append(createIcon(total), label, " ", create("b", { data: { total } }, "–"));
  if (total === "paused") {
    const number = create("b", { data: { total: "overdue" } }, "–");
    button.append(" ", create("span", { className: "over none" }, createIcon("warning"), number, " over limit"));
  }
  return button;
}

/**
 * Shows the totals that depend only on the queues' state.
 *
 * @param {Board} board
 */
export function showTotals(board) {
  let [abandoned, completed] = [0, 0];
  for (const { statistics } of board.queues.values()) {
    abandoned += statistics?.abandoned ?? 0;
    completed += statistics?.completed ?? 0;
  }
  const offered = abandoned + completed;
  const percent = offered === 0 ? "–" : `${Math.round((abandoned / offered) * 1000) / 10} %`;
  setTotal("waiting", String(countWaiting(board)));
  setTotal("abandoned", percent);
}

/**
 * Shows the pauses over their limit and the waiting callers in the page title. A page that receives
 * no events does not know them.
 *
 * @param {Board} board
 * @param {boolean} isLive
 */
export function showTitle(board, isLive) {
  const [waiting, overdue] = [countWaiting(board), board.people.count("overdue")];
  const counts = [overdue > 0 ? `⚠ ${overdue} over limit` : "", waiting > 0 ? `${waiting} waiting` : ""];
  const text = isLive ? counts.filter(Boolean).join(", ") : board.isLoaded ? "Not live" : "";
  document.title = text === "" ? "Queues" : `${text} – Queues`;
}

/** @param {Board} board */
function countWaiting({ queues }) {
  return [...queues.values()].reduce((sum, { callers }) => sum + callers.length, 0);
}

/**
 * Shows the longest current wait in any queue.
 *
 * @param {Board} board
 * @param {number} now in milliseconds
 * @param {number} lateAfter the wait after which a caller is late, in milliseconds
 */
export function showLongestWait(board, now, lateAfter) {
  let start = null;
  for (const queue of board.queues.values()) {
    const first = longestWaitStart(queue);
    if (first !== null && (start === null || first < start)) start = first;
  }
  const isLate = start !== null && now - start >= lateAfter;
  setTotal("longest", start === null ? "–" : formatDuration(now - start), isLate);
}

/**
 * @param {string} key
 * @param {string} text
 * @param {boolean} [isLate]
 */
function setTotal(key, text, isLate = false) {
  const total = find(document, `#totals [data-total="${key}"]`);
  setText(find(total, "dd"), text);
  total.classList.toggle("late", isLate);
}
