// The board on the page: the totals, and either the people, the queues or the day's work. A state
// change updates only the affected parts of the page.

import { byId, oncePerFrame, setText } from "../shared/dom.js";
import { searchTerms } from "../shared/search.js";
import { savePreferences } from "../shared/settings.js";
import { formatCount } from "../shared/time.js";
import { PeopleView } from "./people-view.js";
import { QueuesView } from "./queues-view.js";
import { Today } from "./today.js";
import { PeopleTotals, showLongestWait, showTitle, showTotals } from "./totals.js";

/**
 * @import { Preferences } from "../bridge"
 * @import { Api } from "../shared/api.js"
 * @import { Reasons } from "../shared/reasons.js"
 * @import { Board, BoardUpdate } from "../shared/state.js"
 * @import { Rights } from "../shared/rights.js"
 * @import { Clock } from "../shared/time.js"
 * @import { Selection } from "./selection.js"
 *
 * @typedef {object} ViewOptions
 * @property {Api} api
 * @property {Board} board
 * @property {Clock} clock
 * @property {Preferences} preferences
 * @property {Reasons} reasons
 * @property {Rights} rights decides which controls the page shows
 * @property {Selection} selection the chosen people
 */

export class View {
  #board;
  #clock;
  #preferences;
  #rights;
  #people;
  #queues;
  #today;
  #totals = new PeopleTotals((total) => this.#filterPeople(total));
  /**
   * The parts of each queue to draw in the next frame: agents' interfaces, and null for the
   * callers and the statistics.
   *
   * @type {Map<string, Set<string | null>>}
   */
  #updates = new Map();
  #drawsEverything = false;
  #schedule = oncePerFrame(() => this.#draw());
  #search = byId("search", HTMLInputElement);
  /** @type {string | null} the total that filters the people; null for all people */
  #total = null;
  #isLive = false;
  #shownView = "";

  /** @param {ViewOptions} options */
  constructor({ api, board, clock, preferences, reasons, rights, selection }) {
    this.#board = board;
    this.#clock = clock;
    this.#preferences = preferences;
    this.#rights = rights;
    this.#people = new PeopleView(board, selection, rights);
    this.#queues = new QueuesView(board, rights, () => this.refresh());
    this.#today = new Today({ api, clock, reasons, onDrawn: () => this.#updateSummary() });
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

  /** The view that the user has chosen, unless the user may not see it. */
  get #view() {
    const { view } = this.#preferences;
    return view === "today" && !this.#rights.allows("showreport") ? "people" : view;
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
    const view = this.#view;
    this.#shownView = view;
    byId("app").dataset.shown = view;
    for (const input of byId("view").querySelectorAll("input")) input.checked = input.value === view;
    for (const element of document.querySelectorAll("[data-view]")) {
      if (element instanceof HTMLElement) element.hidden = element.dataset.view !== view;
    }
    const terms = searchTerms(this.#search.value);
    this.#totals.press(this.#total);
    this.#people.show(this.#total, terms);
    this.#queues.show(terms);
    this.#today.show(view === "today", terms);
    this.refresh();
  }

  #draw() {
    const updates = this.#updates;
    const isEverything = this.#drawsEverything;
    this.#updates = new Map();
    this.#drawsEverything = false;
    // The rights arrive after the first events, and can change.
    if (this.#view !== this.#shownView) this.#show();
    if (this.#view === "people") this.#people.draw(isEverything ? null : changedPeople(updates), this.#clock.now());
    else if (this.#view === "queues") this.#drawQueues(isEverything ? null : updates);
    this.#updateSummary();
    showTotals(this.#board);
    this.#totals.update(this.#board.people);
    showTitle(this.#board, this.#isLive);
    this.#updateTimes();
  }

  /** @param {Map<string, Set<string | null>> | null} updates null for everything */
  #drawQueues(updates) {
    if (updates) this.#queues.draw(updates);
    else this.#queues.drawAll();
  }

  #updateSummary() {
    const { all, shown, noun, emptyText } = this.#summary;
    const count = formatCount(all, noun);
    setText(byId("shown"), shown === all ? count : `${shown} of ${count}`);
    const nothing = byId("nothing");
    nothing.hidden = shown > 0;
    setText(nothing, emptyText);
  }

  /** The numbers of entries in the view, and the text instead of entries if it shows none. */
  get #summary() {
    if (this.#view === "today") return this.#today.summary;
    const { isLoaded, people, queues } = this.#board;
    const isPeople = this.#view === "people";
    const [all, noun] = isPeople ? [people.size, "agent"] : [queues.size, "queue"];
    const shown = isPeople ? this.#people.shownCount : this.#queues.shownCount;
    return { all, shown, noun, emptyText: emptyText(isLoaded, all, noun) };
  }

  /** Runs every second. */
  #tick() {
    if (this.#isLive) this.#updateTimes();
  }

  #updateTimes() {
    const now = this.#clock.now();
    const lateAfter = this.#preferences.late * 1000;
    if (this.#view === "people") this.#people.tick(now);
    else if (this.#view === "queues") this.#queues.tick(now, lateAfter);
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
