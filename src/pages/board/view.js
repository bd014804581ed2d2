// The board on the page: the totals, and either the people or the queues. A state change updates
// only the affected parts of the page.

import { byId, setText } from "../shared/dom.js";
import { searchTerms } from "../shared/search.js";
import { savePreferences } from "../shared/settings.js";
import { formatCount } from "../shared/time.js";
import { PeopleView } from "./people-view.js";
import { QueuesView } from "./queues-view.js";
import { PeopleTotals, showLongestWait, showTitle, showTotals } from "./totals.js";

/**
 * @import { Preferences } from "../bridge"
 * @import { Board, BoardUpdate } from "../shared/state.js"
 * @import { Rights } from "../shared/rights.js"
 * @import { Clock } from "../shared/time.js"
 * @import { Selection } from "./selection.js"
 *
 * @typedef {object} ViewOptions
 * @property {Board} board
 * @property {Clock} clock
 * @property {Preferences} preferences
 * @property {Rights} rights decides which controls the page shows
 * @property {Selection} selection the chosen people
 */

export class View {
  #board;
  #clock;
  #preferences;
  #people;
  #queues;
  #totals = new PeopleTotals((total) => this.#filterPeople(total));
  /**
   * The parts of each queue to draw in the next frame: agents' interfaces, and null for the
   * callers and the statistics.
   *
   * @type {Map<string, Set<string | null>>}
   */
  #updates = new Map();
  #drawsEverything = false;
  #isScheduled = false;
  #search = byId("search", HTMLInputElement);
  /** @type {string | null} the total that filters the people; null for all people */
  #total = null;
  #isLive = false;

  /** @param {ViewOptions} options */
  constructor({ board, clock, preferences, rights, selection }) {
    this.#board = board;
    this.#clock = clock;
    this.#preferences = preferences;
    this.#people = new PeopleView(board, selection, rights);
    this.#queues = new QueuesView(board, rights, () => this.refresh());
    this.#search.addEventListener("input", () => this.#show());
    byId("view").addEventListener("change", ({ target }) => {
      this.#total = null;
      if (target instanceof HTMLInputElement) this.#setView(target.value);
    });
    this.#show();
    setInterval(() => this.#tick(), 1000);
  }

  /**
   * Draws a state change in the next frame.
   *
   * @param {BoardUpdate} update
   */
  update(update) {
    if (update === "nothing") return;
    if (update === "everything") {
      this.#drawsEverything = true;
    } else if (!this.#drawsEverything) {
      const parts = this.#updates.get(update.queue) ?? new Set();
      this.#updates.set(update.queue, parts.add(update.interface));
    }
    this.#schedule();
    // The browser draws no frames of a page in the background, but shows its title.
    if (document.hidden) showTitle(this.#board, this.#isLive);
  }

  /** Redraws everything in the next frame. */
  refresh() {
    this.update("everything");
  }

  /**
   * Sets whether the page receives events. While no events arrive, the board is gray and its
   * times and the page's title stop counting.
   *
   * @param {boolean} isLive
   */
  setLive(isLive) {
    this.#isLive = isLive;
    byId("board").classList.toggle("stale", !isLive);
    showTitle(this.#board, isLive);
    this.#tick();
  }

  get #showsPeople() {
    return this.#preferences.view === "people";
  }

  /** @param {string} view */
  #setView(view) {
    this.#preferences.view = view;
    savePreferences(this.#preferences);
    this.#show();
  }

  /**
   * Shows the people in a total or, if they are shown already, all people.
   *
   * @param {string} total
   */
  #filterPeople(total) {
    this.#total = this.#total === total ? null : total;
    this.#setView("people");
  }

  /** Applies the view, the filter and the search. */
  #show() {
    const { view } = this.#preferences;
    for (const input of byId("view").querySelectorAll("input")) input.checked = input.value === view;
    for (const element of document.querySelectorAll("[data-view]")) {
      if (element instanceof HTMLElement) element.hidden = element.dataset.view !== view;
    }
    const terms = searchTerms(this.#search.value);
    this.#totals.press(this.#total);
    this.#people.show(this.#total, terms);
    this.#queues.show(terms);
    this.refresh();
  }

  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#draw();
    });
  }

  #draw() {
    const updates = this.#updates;
    const isEverything = this.#drawsEverything;
    this.#updates = new Map();
    this.#drawsEverything = false;
    if (this.#showsPeople) this.#people.draw(isEverything ? null : changedPeople(updates), this.#clock.now());
    else if (isEverything) this.#queues.drawAll();
    else this.#queues.draw(updates);
    this.#updateSummary();
    showTotals(this.#board);
    this.#totals.update(this.#board.people);
    showTitle(this.#board, this.#isLive);
    this.#updateTimes();
  }

  #updateSummary() {
    const { isLoaded, people, queues } = this.#board;
    const [all, noun] = this.#showsPeople ? [people.size, "agent"] : [queues.size, "queue"];
    const shown = this.#showsPeople ? this.#people.shownCount : this.#queues.shownCount;
    const count = formatCount(all, noun);
    setText(byId("shown"), shown === all ? count : `${shown} of ${count}`);
    const nothing = byId("nothing");
    nothing.hidden = shown > 0;
    setText(nothing, emptyText(isLoaded, all, noun));
  }

  /** Runs every second. */
  #tick() {
    if (this.#isLive) this.#updateTimes();
  }

  #updateTimes() {
    const now = this.#clock.now();
    const lateAfter = this.#preferences.late * 1000;
    if (this.#showsPeople) this.#people.tick(now);
    else this.#queues.tick(now, lateAfter);
    showLongestWait(this.#board, now, lateAfter);
  }
}

/**
 * Returns the interfaces of the people in these updates.
 *
 * @param {Map<string, Set<string | null>>} updates
 */
function changedPeople(updates) {
  const parts = [...updates.values()].flatMap((addresses) => [...addresses]);
  return new Set(parts.filter((address) => address !== null));
}

/**
 * Returns the text for a board that shows nothing.
 *
 * @param {boolean} isLoaded
 * @param {number} all the number of queues or agents
 * @param {string} noun
 */
function emptyText(isLoaded, all, noun) {
  if (!isLoaded) return "Loading…";
  return all === 0 ? `There are no ${noun}s.` : `No ${noun} matches the search and the filter.`;
}
