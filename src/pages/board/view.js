// The board on the page: the queues that it shows, and their order. A state change updates
// only the affected parts of the page.

import { byId, setChildren, setText } from "../shared/dom.js";
import { longestWaitStart, searchKey } from "../shared/state.js";
import { formatCount } from "../shared/time.js";
import { findMatch, passesFilter } from "./match.js";
import { QueueCard } from "./queue-card.js";
import { showLongestWait, showTotals } from "./totals.js";

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

// If the board has at most this many queues, all cards are initially open.
const INITIALLY_OPEN_QUEUES = 12;

// The minimum time between two reorderings of the cards, in milliseconds. A board whose cards
// move constantly is unreadable.
const REORDER_INTERVAL = 2000;

// The minimum width of an agent column with its gap, in rem. Must match board.css.
const COLUMN_WIDTH = 20.5;

export class View {
  #board;
  #clock;
  #preferences;
  /** @type {Map<string, QueueCard>} by queue */
  #cards = new Map();
  /** @type {Set<QueueCard>} in or near the viewport */
  #nearCards = new Set();
  /** @type {Map<string, boolean>} queues whose cards the user opened (true) or closed (false) */
  #toggled = new Map();
  /**
   * The parts of each queue to draw in the next frame: agents' interfaces, and null for the
   * callers and the statistics.
   *
   * @type {Map<string, Set<string | null>>}
   */
  #updates = new Map();
  #drawsEverything = false;
  #isScheduled = false;
  #search = "";
  #filter = "all";
  #sort = "configured";
  #lastReorder = 0;
  #isLive = false;
  #observer = new IntersectionObserver((entries) => this.#observe(entries), { root: byId("app"), rootMargin: "500px" });

  /** @param {ViewOptions} options */
  constructor({ board, clock, preferences }) {
    this.#board = board;
    this.#clock = clock;
    this.#preferences = preferences;
    const search = byId("search", HTMLInputElement);
    search.addEventListener("input", () => {
      this.#search = searchKey(search.value.trim());
      this.refresh();
    });
    byId("filter").addEventListener("change", ({ target }) => {
      if (target instanceof HTMLInputElement) this.#filter = target.value;
      this.refresh();
    });
    const sort = byId("sort", HTMLSelectElement);
    sort.addEventListener("change", () => {
      this.#sort = sort.value;
      this.#lastReorder = 0;
      this.refresh();
    });
    byId("expand").addEventListener("click", () => this.#toggleAll());
    byId("cards").addEventListener("click", ({ target }) => {
      const toggle = target instanceof Element ? target.closest(".toggle") : null;
      const queue = queueIdOf(toggle?.closest(".card"));
      if (queue !== undefined) this.#toggle(queue);
    });
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
  }

  /** Redraws everything in the next frame. */
  refresh() {
    this.update("everything");
  }

  /**
   * Sets whether the page receives events. While no events arrive, the board is gray and its
   * times stop.
   *
   * @param {boolean} isLive
   */
  setLive(isLive) {
    this.#isLive = isLive;
    byId("board").classList.toggle("stale", !isLive);
    this.#tick();
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
    this.#updates = new Map();
    if (this.#drawsEverything) {
      this.#drawsEverything = false;
      this.#drawAll();
    } else {
      for (const [id, parts] of updates) this.#drawQueue(id, parts);
    }
    this.#reorder();
    this.#updateSummary();
    this.#updateTimes();
  }

  #drawAll() {
    QueueCard.columns = Math.max(1, Math.floor(byId("cards").clientWidth / (COLUMN_WIDTH * rem())));
    const { queues } = this.#board;
    for (const [id, card] of this.#cards) {
      if (queues.has(id)) continue;
      this.#observer.unobserve(card.element);
      this.#nearCards.delete(card);
      card.element.remove();
      this.#cards.delete(id);
    }
    for (const [id, queue] of queues) {
      let card = this.#cards.get(id);
      if (!card) {
        card = new QueueCard(queue);
        this.#cards.set(id, card);
        this.#observer.observe(card.element);
      }
      card.update(queue);
      this.#showOrHide(card);
    }
  }

  /**
   * @param {string} id
   * @param {Set<string | null>} parts
   */
  #drawQueue(id, parts) {
    const card = this.#cards.get(id);
    if (!card) return;
    for (const address of parts) card.updatePart(address);
    this.#showOrHide(card);
  }

  /**
   * Applies the search, the filter and the user's clicks to a card.
   *
   * @param {QueueCard} card
   */
  #showOrHide(card) {
    const { queue } = card;
    const match = findMatch(queue, this.#search);
    card.element.hidden = !match || !passesFilter(queue, this.#filter);
    const isOpen = this.#toggled.get(queue.id) ?? this.#board.queues.size <= INITIALLY_OPEN_QUEUES;
    card.show({ isOpen: isOpen || match?.hasMatchInside === true, agentSearch: match?.agentSearch ?? null });
  }

  #reorder() {
    const now = Date.now();
    const parent = byId("cards");
    const cards = [...this.#board.queues.keys()].flatMap((id) => this.#cards.get(id) ?? []);
    const hasNewCards = parent.childElementCount !== cards.length;
    const isInUse = parent.contains(document.activeElement);
    const mustWait = isInUse || now - this.#lastReorder < REORDER_INTERVAL;
    if (this.#sort !== "configured" && mustWait && !hasNewCards) return;
    this.#lastReorder = now;
    if (this.#sort === "waiting") {
      cards.sort((a, b) => b.queue.callers.length - a.queue.callers.length);
    } else if (this.#sort === "longest") {
      const starts = new Map(cards.map(({ queue }) => [queue, longestWaitStart(queue) ?? Infinity]));
      const start = (/** @type {QueueCard} */ { queue }) => starts.get(queue) ?? Infinity;
      // Compares instead of subtracting, because Infinity - Infinity is NaN.
      cards.sort((a, b) => (start(a) === start(b) ? 0 : start(a) < start(b) ? -1 : 1));
    }
    setChildren(parent, cards.map(({ element }) => element));
  }

  #updateSummary() {
    const all = this.#cards.size;
    const shown = this.#shownCards();
    const count = formatCount(all, "queue");
    setText(byId("shown"), shown.length === all ? count : `${shown.length} of ${count}`);
    const nothing = byId("nothing");
    nothing.hidden = shown.length > 0;
    setText(nothing, emptyText(this.#board.isLoaded, all));
    setText(byId("expand"), shown.some((card) => card.isOpen) ? "Close all" : "Open all");
    showTotals(this.#board);
  }

  /** Runs every second. */
  #tick() {
    if (!this.#isLive) return;
    this.#updateTimes();
    if (this.#sort !== "configured") this.#reorder();
  }

  #updateTimes() {
    const now = this.#clock.now();
    const lateAfter = this.#preferences.late * 1000;
    for (const card of this.#nearCards) card.tick(now, lateAfter);
    showLongestWait(this.#board, now, lateAfter);
  }

  /**
   * Called by the browser when cards come near the viewport or move away from it.
   *
   * @param {IntersectionObserverEntry[]} entries
   */
  #observe(entries) {
    for (const { target, isIntersecting } of entries) {
      const card = this.#cards.get(queueIdOf(target) ?? "");
      if (!card) continue;
      card.setNear(isIntersecting);
      if (isIntersecting) this.#nearCards.add(card);
      else this.#nearCards.delete(card);
    }
    this.#updateTimes();
  }

  /** @param {string} id */
  #toggle(id) {
    const card = this.#cards.get(id);
    if (!card) return;
    this.#toggled.set(id, !card.isOpen);
    this.#showOrHide(card);
    this.#updateSummary();
    this.#updateTimes();
  }

  /** Closes all shown cards if any of them is open. Otherwise opens all shown cards. */
  #toggleAll() {
    const shown = this.#shownCards();
    const isOpen = !shown.some((card) => card.isOpen);
    for (const card of shown) this.#toggled.set(card.queue.id, isOpen);
    this.refresh();
  }

  #shownCards() {
    return [...this.#cards.values()].filter(({ element }) => !element.hidden);
  }
}

/** Returns the root font size, in pixels. */
function rem() {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
}

/**
 * Returns a card's queue id.
 *
 * @param {Element | null | undefined} card
 */
function queueIdOf(card) {
  return card instanceof HTMLElement ? card.dataset.queue : undefined;
}

/**
 * Returns the text for a board that shows no cards.
 *
 * @param {boolean} isLoaded
 * @param {number} all the number of queues
 */
function emptyText(isLoaded, all) {
  if (!isLoaded) return "Loading queues…";
  return all === 0 ? "There are no queues." : "No queue matches the search and the filter.";
}
