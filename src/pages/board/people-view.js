// The people on the page: one row for each person, however many queues.

import { byId, create, setChildren } from "../shared/dom.js";
import { isFound } from "../shared/search.js";
import { keepOrder, sortPeople } from "./person-order.js";
import { createPerson, personSearchText } from "./person.js";
import { PersonRow } from "./person-row.js";

/**
 * @import { Member } from "../bridge"
 * @import { Rights } from "../shared/rights.js"
 * @import { SearchText } from "../shared/search.js"
 * @import { Board } from "../shared/state.js"
 * @import { Person } from "./person.js"
 * @import { Selection } from "./selection.js"
 *
 * @typedef {object} Entry
 * @property {ReadonlyMap<string, Member>} memberships
 * @property {Person} person computed from the memberships
 * @property {SearchText | null} searchText built when first used
 *
 * @typedef {{ address: string | null, element: HTMLElement }} Slot a place in the list: a person's
 *   row, or a gap if `address` is null
 */

// The list has at most this many rows at first, and grows by as many whenever the user has scrolled
// to its end. Thousands of rows would make each change slow.
const ROWS = 400;

// How long nothing moves after the user has moved the pointer over the list or has pressed a key in
// it, in milliseconds.
const CALM_TIME = 3000;

export class PeopleView {
  #list = byId("people");
  #board;
  #selection;
  #rights;
  /** @type {Map<string, Entry>} by interface */
  #entries = new Map();
  /** @type {Map<string, PersonRow>} by interface */
  #rows = new Map();
  /** @type {string[]} the interfaces of the shown people, in the right order */
  #sorted = [];
  /** @type {Slot[]} in the order of the page */
  #slots = [];
  /** @type {string[]} */
  #terms = [];
  /** @type {string | null} */
  #total = null;
  /** Whether the order of the page is not the right one, because the list is in use. */
  #isOrderKept = false;
  #lastUse = -Infinity;
  /** The time that the rows show. */
  #now = 0;
  #maxRows = ROWS;

  /**
   * @param {Board} board
   * @param {Selection} selection
   * @param {Rights} rights
   */
  constructor(board, selection, rights) {
    this.#board = board;
    this.#selection = selection;
    this.#rights = rights;
    for (const type of ["pointermove", "pointerdown", "keydown"]) {
      this.#list.addEventListener(type, () => {
        this.#lastUse = performance.now();
      });
    }
    this.#list.addEventListener("pointerleave", () => {
      this.#lastUse = -Infinity;
    });
    const observer = new IntersectionObserver((entries) => this.#grow(entries), { root: byId("app"), rootMargin: "600px" });
    observer.observe(byId("people-end"));
    this.#list.addEventListener("change", ({ target }) => {
      const row = target instanceof Element && target.matches(".choose") ? target.closest(".person") : null;
      if (row instanceof HTMLElement) selection.toggle(row.dataset.agent ?? "");
    });
  }

  /** The number of people whom the filter and the search have left. */
  get shownCount() {
    return this.#sorted.length;
  }

  /**
   * Shows only the people in this total whom the search finds.
   *
   * @param {string | null} total null for all people
   * @param {string[]} terms of the search
   */
  show(total, terms) {
    this.#total = total;
    this.#list.dataset.total = total ?? "";
    this.#terms = terms;
    this.#lastUse = -Infinity;
    this.#maxRows = ROWS;
  }

  /**
   * Draws the people.
   *
   * @param {Iterable<string> | null} changed the interfaces of the changed people; null for all
   * @param {number} now
   */
  draw(changed, now) {
    this.#now = now;
    const addresses = changed ?? new Set([...this.#entries.keys(), ...this.#board.people.interfaces]);
    for (const address of addresses) {
      this.#updateEntry(address);
      this.#updateRow(address);
    }
    // A list that is almost in order is sorted quickly.
    const entries = [...new Set([...this.#sorted, ...this.#entries.keys()])].flatMap((address) => this.#entries.get(address) ?? []);
    const people = entries.filter((entry) => this.#isShown(entry)).map(({ person }) => person);
    this.#sorted = sortPeople(people, this.#total).map(({ interface: address }) => address);
    this.#arrange(this.#sorted.slice(0, this.#maxRows));
  }

  /**
   * Updates all displayed times. Runs every second.
   *
   * @param {number} now
   */
  tick(now) {
    if (this.#isOrderKept && !this.#isInUse) this.draw([], now);
    this.#now = now;
    for (const row of this.#rows.values()) row.tick(now);
  }

  get #isInUse() {
    return performance.now() - this.#lastUse < CALM_TIME;
  }

  /** @param {string} address */
  #updateEntry(address) {
    const memberships = this.#board.people.memberships(address);
    if (!memberships) this.#entries.delete(address);
    else if (this.#entries.get(address)?.memberships !== memberships) {
      this.#entries.set(address, { memberships, person: createPerson(memberships), searchText: null });
    }
  }

  /** @param {Entry} entry */
  #isShown(entry) {
    const { memberships, person } = entry;
    if (this.#total !== null && !person.totals.has(this.#total)) return false;
    if (this.#terms.length === 0) return true;
    const queueName = (/** @type {string} */ id) => this.#board.queues.get(id)?.name ?? "";
    entry.searchText ??= personSearchText(memberships, queueName);
    return isFound(this.#terms, entry.searchText);
  }

  /** @param {string} address */
  #updateRow(address) {
    const person = this.#entries.get(address)?.person;
    const row = this.#rows.get(address);
    if (!person || !row) return;
    row.update(person, this.#selection.has(person.agent ?? ""));
    row.tick(this.#now);
  }

  /**
   * Puts the rows of these people into the page.
   *
   * @param {string[]} sorted the interfaces in the right order
   */
  #arrange(sorted) {
    const before = this.#slots;
    const order = this.#isInUse ? keepOrder(before.map(({ address }) => address), sorted) : sorted;
    this.#isOrderKept = order.length !== sorted.length || order.some((address, index) => address !== sorted[index]);
    this.#slots = order.map((address, index) => {
      const element = address === null ? gapElement(before[index]) : this.#getOrAddRow(address).element;
      return { address, element };
    });
    const shown = new Set(sorted);
    for (const address of this.#rows.keys()) {
      if (!shown.has(address)) this.#rows.delete(address);
    }
    const isSame = before.length === this.#slots.length && before.every(({ element }, index) => element === this.#slots[index].element);
    if (!isSame) setChildren(this.#list, this.#slots.map(({ element }) => element));
  }

  /** @param {string} address */
  #getOrAddRow(address) {
    let row = this.#rows.get(address);
    if (!row) {
      row = new PersonRow(this.#rights);
      this.#rows.set(address, row);
      this.#updateRow(address);
    }
    return row;
  }

  /**
   * Called by the browser when the end of the list comes near the viewport or moves away from it.
   *
   * @param {IntersectionObserverEntry[]} entries
   */
  #grow(entries) {
    const isNear = entries.some(({ isIntersecting }) => isIntersecting);
    if (!isNear || this.#sorted.length <= this.#maxRows) return;
    this.#maxRows += ROWS;
    this.draw([], this.#now);
  }
}

/**
 * Returns an element as high as this place in the list.
 *
 * @param {Slot} slot
 */
function gapElement({ address, element }) {
  if (address === null) return element;
  const gap = create("li", { className: "gap", ariaHidden: "true" });
  gap.style.height = `${element.offsetHeight}px`;
  return gap;
}
