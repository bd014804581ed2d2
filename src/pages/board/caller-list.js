// The callers in a queue's card. The list always has the same height, so that the agents below do
// not move when a caller joins the queue.

import { cloneTemplate, find, setChildren, setText } from "../shared/dom.js";
import { formatCount, formatDuration } from "../shared/time.js";

/**
 * @import { BoardCaller } from "../shared/state.js"
 *
 * @typedef {object} CallerRow
 * @property {string} key identifies the caller
 * @property {HTMLElement} element
 * @property {BoardCaller} caller
 */

// The number of callers that fit into one column of the list. Must match board.css.
const VISIBLE_ROWS = 2;

export class CallerList {
  #title;
  #list;
  /** @type {CallerRow[]} */
  #rows = [];

  /**
   * @param {HTMLElement} section
   * @param {string} queue
   */
  constructor(section, queue) {
    this.#title = find(section, "h3");
    this.#list = find(section, "ol");
    this.#list.ariaLabel = `Callers in queue ${queue}`;
  }

  /** @param {BoardCaller[]} callers */
  update(callers) {
    setText(this.#title, callers.length === 0 ? "No callers" : formatCount(callers.length, "caller"));
    // A list that scrolls must be reachable with the keyboard.
    if (callers.length > VISIBLE_ROWS) this.#list.tabIndex = 0;
    else this.#list.removeAttribute("tabindex");
    const existing = new Map(this.#rows.map(({ key, element }) => [key, element]));
    this.#rows = callers.map((caller) => {
      const { caller_id_name: name, caller_id_number: number, position } = caller.data;
      const key = caller.data.unique_id ?? caller.data.channel ?? String(position);
      const element = existing.get(key) ?? cloneTemplate("caller");
      setText(find(element, ".position"), String(position ?? ""));
      setText(find(element, ".name"), name || (number ? "" : "Unknown caller"));
      setText(find(element, ".number"), number ?? "");
      return { key, element, caller };
    });
    setChildren(this.#list, this.#rows.map(({ element }) => element));
  }

  /**
   * Updates all displayed times.
   *
   * @param {number} now
   * @param {number} lateAfter the wait after which a caller is late, in milliseconds
   */
  tick(now, lateAfter) {
    for (const { element, caller } of this.#rows) {
      setText(find(element, "time"), formatDuration(now - caller.since));
      element.classList.toggle("late", now - caller.since >= lateAfter);
    }
  }
}
