// The queues on the page, as cards, and their order.

import { byId, setChildren, setText } from "../shared/dom.js";
import { longestWaitStart } from "../shared/state.js";
import { findMatch, passesFilter } from "./match.js";
import { QueueCard } from "./queue-card.js";

/**
 * @import { Rights } from "../shared/rights.js"
 * @import { Board } from "../shared/state.js"
 */

// If the board has at most this many queues, all cards are initially open.
const INITIALLY_OPEN_QUEUES = 12;

// The minimum time between two reorderings of the cards, in milliseconds. A board whose cards
// move constantly is unreadable.
const REORDER_INTERVAL = 2000;

// The minimum width of an agent column with its gap, in rem. Must match board.css.
const COLUMN_WIDTH = 20.5;

export class QueuesView {
  #board;
  #rights;
  #onChange;
  /** @type {Map<string, QueueCard>} by queue */
  #cards = new Map();
  /** @type {Set<QueueCard>} in or near the viewport */
  #nearCards = new Set();
  /** @type {Map<string, boolean>} queues whose cards the user opened (true) or closed (false) */
  #toggled = new Map();
  /** @type {string[]} */
  #terms = [];
  #filter = "all";
  #sort = "configured";
  #lastReorder = 0;
  #now = 0;
  #lateAfter = 0;
  #observer = new IntersectionObserver((entries) => this.#observe(entries), { root: byId("app"), rootMargin: "500px" });

  /**
   * @param {Board} board
   * @param {Rights} rights
   * @param {() => void} onChange called when the user has changed the filter, the order or the open
   *   cards
   */
  constructor(board, rights, onChange) {
    this.#board = board;
    this.#rights = rights;
    this.#onChange = onChange;
    byId("filter").addEventListener("change", ({ target }) => {
      if (target instanceof HTMLInputElement) this.#filter = target.value;
      onChange();
    });
    const sort = byId("sort", HTMLSelectElement);
    sort.addEventListener("change", () => {
      this.#sort = sort.value;
      this.#lastReorder = 0;
      onChange();
    });
    byId("expand").addEventListener("click", () => this.#toggleAll());
    byId("cards").addEventListener("click", ({ target }) => {
      const toggle = target instanceof Element ? target.closest(".toggle") : null;
      const queue = queueIdOf(toggle?.closest(".card"));
      if (queue !== undefined) this.#toggle(queue);
    });
  }

  /** The number of cards that the search and the filter have left. */
  get shownCount() {
    return this.#shownCards().length;
  }

  /**
   * Shows only the queues that the search finds.
   *
   * @param {string[]} terms
   */
  show(terms) {
    this.#terms = terms;
  }

  /** Draws all queues. */
  drawAll() {
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
        card = new QueueCard(queue, this.#rights);
        this.#cards.set(id, card);
        this.#observer.observe(card.element);
      }
      card.update(queue);
      this.#showOrHide(card);
    }
    this.#afterDraw();
  }

  /**
   * Draws the changed parts of each queue: agents' interfaces, and null for the callers and the
   * statistics.
   *
   * @param {Map<string, Set<string | null>>} updates by queue
   */
  draw(updates) {
    for (const [id, parts] of updates) {
      const card = this.#cards.get(id);
      if (!card) continue;
      for (const address of parts) card.updatePart(address);
      this.#showOrHide(card);
    }
    this.#afterDraw();
  }

  /**
   * Updates all displayed times. Runs every second.
   *
   * @param {number} now
   * @param {number} lateAfter the wait after which a caller is late, in milliseconds
   */
  tick(now, lateAfter) {
    this.#now = now;
    this.#lateAfter = lateAfter;
    if (this.#sort !== "configured") this.#reorder();
    for (const card of this.#nearCards) card.tick(now, lateAfter);
  }

  #afterDraw() {
    this.#reorder();
    setText(byId("expand"), this.#shownCards().some((card) => card.isOpen) ? "Close all" : "Open all");
  }

  /**
   * Applies the search, the filter and the user's clicks to a card.
   *
   * @param {QueueCard} card
   */
  #showOrHide(card) {
    const { queue } = card;
    const match = findMatch(queue, this.#terms);
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
    for (const card of this.#nearCards) card.tick(this.#now, this.#lateAfter);
  }

  /** @param {string} id */
  #toggle(id) {
    const card = this.#cards.get(id);
    if (!card) return;
    this.#toggled.set(id, !card.isOpen);
    this.#showOrHide(card);
    this.#onChange();
  }

  /** Closes all shown cards if any of them is open. Otherwise opens all shown cards. */
  #toggleAll() {
    const shown = this.#shownCards();
    const isOpen = !shown.some((card) => card.isOpen);
    for (const card of shown) this.#toggled.set(card.queue.id, isOpen);
    this.#onChange();
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
