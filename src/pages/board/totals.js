// The totals of all queues, at the top of the board and in the page title.

import { find, setText } from "../shared/dom.js";
import { longestWaitStart } from "../shared/state.js";
import { formatDuration } from "../shared/time.js";

/** @import { Board } from "../shared/state.js" */

/**
 * Shows the totals that depend only on the board's state.
 *
 * @param {Board} board
 */
export function showTotals(board) {
  let [waiting, abandoned, completed] = [0, 0, 0];
  for (const { callers, statistics } of board.queues.values()) {
    waiting += callers.length;
    abandoned += statistics?.abandoned ?? 0;
    completed += statistics?.completed ?? 0;
  }
  const offered = abandoned + completed;
  const percent = offered === 0 ? "–" : `${Math.round((abandoned / offered) * 1000) / 10} %`;
  for (const state of ["available", "in_call", "wrap_up", "paused"]) {
    setTotal(state, String(board.people.count(state)));
  }
  const overdue = board.people.count("overdue");
  setTotal("overdue", String(overdue), overdue > 0);
  setTotal("waiting", String(waiting));
  setTotal("abandoned", percent);
  document.title = waiting > 0 ? `(${waiting}) Queues` : "Queues";
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
  const total = find(document, `[data-total="${key}"]`);
  setText(find(total, "dd"), text);
  total.classList.toggle("late", isLate);
}
