// Makes each list of rows one tab stop, whose rows and controls the arrow keys reach, and keeps the
// focus in the list when the focused row leaves it. Works with rows that others draw: a row is the
// child of its list, and it and its controls are drawn with the tabindex -1.

import { byId, create } from "../shared/dom.js";
import { isInert, markChanged } from "../shared/pending.js";
import { ROW } from "./commands.js";

/**
 * @typedef {object} Place where the focus is
 * @property {HTMLElement} row
 * @property {Element} control the row itself, or a control in it
 * @property {Element} list
 * @property {number} index of the row in the list
 */

const CONTROLS = "button, input";

// The longest time until the page has drawn a search's results, in milliseconds.
const DRAWING_TIME = 1000;

export class Rows {
  #root = byId("board");
  /** @type {Place | null} */
  #place = null;
  /** @type {WeakMap<Element, HTMLElement>} the row of each list that is its tab stop */
  #stops = new WeakMap();
  // Stands for the keys, which change their meaning when the focus moves by itself.
  #keys = create("span");

  constructor() {
    this.#root.addEventListener("focusin", ({ target }) => this.#enter(target));
    // Removing the focused row is not announced, but leaving it is.
    for (const type of ["focusin", "pointerdown"]) {
      document.addEventListener(type, ({ target }) => {
        const isOutside = target instanceof Element && !target.closest(`#board :is(${ROW}), dialog`);
        if (isOutside) this.#place = null;
      });
    }
    new MutationObserver((records) => this.#observe(records)).observe(this.#root, { childList: true, subtree: true });
    byId("dialog").addEventListener("close", () => {
      this.#restore();
      // The control that opened the dialog may be gone.
      if (document.activeElement === document.body) this.#root.focus({ preventScroll: true });
    });
  }

  /** Whether the keys of a row are off, because the focus has just moved to another row by itself. */
  get isSettling() {
    return isInert(this.#keys);
  }

  /** The row that has the focus. */
  get current() {
    const row = document.activeElement?.closest(ROW);
    return row instanceof HTMLElement && this.#root.contains(row) ? row : null;
  }

  /** Moves the focus to the first row. Returns whether there is one. */
  focusFirst() {
    return this.#focus(this.#rows[0]);
  }

  /** Moves the focus from the search to the first row, as soon as the page has drawn it. */
  focusFirstFound() {
    const origin = document.activeElement;
    const last = performance.now() + DRAWING_TIME;
    const attempt = () => {
      if (document.activeElement !== origin || this.focusFirst() || performance.now() > last) return;
      requestAnimationFrame(attempt);
    };
    requestAnimationFrame(attempt);
  }

  /** Moves the focus to the last row. */
  focusLast() {
    this.#focus(this.#rows.at(-1));
  }

  /**
   * Moves the focus to the next or the previous row, and there to the same control.
   *
   * @param {HTMLElement} row
   * @param {1 | -1} step
   */
  moveRow(row, step) {
    const rows = this.#rows;
    const next = rows[rows.indexOf(row) + step];
    const focused = document.activeElement;
    const name = focused === row ? undefined : [...(focused?.classList ?? [])].at(-1);
    const control = next && name && controlsOf(next).find((each) => each.classList.contains(name));
    this.#focus(control || next);
  }

  /**
   * Moves the focus between a row and its controls.
   *
   * @param {HTMLElement} row
   * @param {1 | -1} step
   */
  moveInRow(row, step) {
    const stops = [row, ...controlsOf(row)];
    const focused = document.activeElement;
    const index = focused instanceof HTMLElement ? stops.indexOf(focused) : 0;
    this.#focus(stops[Math.max(0, index + step)]);
  }

  /** The rows that are shown, in the order of the page. */
  get #rows() {
    return rowsIn(this.#root).filter((row) => row.checkVisibility());
  }

  /** @param {HTMLElement | undefined} element */
  #focus(element) {
    element?.focus();
    element?.scrollIntoView({ block: "nearest" });
    return element !== undefined;
  }

  /** @param {EventTarget | null} target */
  #enter(target) {
    const row = target instanceof Element ? target.closest(ROW) : null;
    const list = row?.parentElement;
    if (!(row instanceof HTMLElement) || !list || !(target instanceof Element)) return;
    this.#place = { row, control: target, list, index: [...list.children].indexOf(row) };
    this.#setStop(list, row);
  }

  /**
   * @param {Element} list
   * @param {HTMLElement} row
   */
  #setStop(list, row) {
    const previous = this.#stops.get(list);
    if (previous) previous.tabIndex = -1;
    this.#stops.set(list, row);
    row.tabIndex = 0;
  }

  /** @param {MutationRecord[]} records */
  #observe(records) {
    for (const target of new Set(records.map((record) => record.target))) {
      if (target instanceof HTMLUListElement) this.#ensureStop(target);
    }
    this.#restore();
  }

  /** @param {Element} list */
  #ensureStop(list) {
    if (this.#stops.get(list)?.parentElement === list) return;
    const first = [...list.children].find((child) => child.matches(ROW));
    if (first instanceof HTMLElement) this.#setStop(list, first);
  }

  /**
   * Moves the focus back into the list if the browser has lost it, because the focused row has left
   * the list or moved in it. The row that follows gets the focus, and not its button. Its keys are off
   * for a moment: a second key was aimed at the row that has left.
   */
  #restore() {
    const place = this.#place;
    if (place === null || document.activeElement !== document.body) return;
    const { row, control, list, index } = place;
    if (control.isConnected && control instanceof HTMLElement) {
      control.focus({ preventScroll: true });
      if (document.activeElement === control) return;
    }
    if (row.isConnected) {
      row.focus({ preventScroll: true });
      return;
    }
    const children = [...list.children];
    const isShown = (/** @type {Element} */ each) => each.matches(ROW) && each.checkVisibility();
    const next = children.slice(index).find(isShown) ?? children.findLast(isShown);
    if (next instanceof HTMLElement) {
      markChanged(this.#keys);
      next.focus({ preventScroll: true });
    } else {
      this.#place = null;
      this.#root.focus({ preventScroll: true });
    }
  }
}

/** @param {Element} root */
function rowsIn(root) {
  return [...root.querySelectorAll(ROW)].filter((row) => row instanceof HTMLElement);
}

/**
 * Returns a row's controls that are shown.
 *
 * @param {HTMLElement} row
 */
function controlsOf(row) {
  const controls = [...row.querySelectorAll(CONTROLS)].filter((control) => control instanceof HTMLElement);
  return controls.filter((control) => control.checkVisibility());
}
