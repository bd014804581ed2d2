// The board on the page: which queues are shown, in which order, and that each change
// touches only what has changed.

import { arrange, byId, say } from "./dom.js";
import { QueueCard } from "./queue-card.js";
import { fold, longestSince, tally } from "./state.js";
import { count, duration } from "./time.js";

// So many queues are open from the beginning.
const FEW = 12;

// The cards change places no more often than that: a board that is read must hold still.
const REORDER = 2000;

export class View {
  #board;
  #clock;
  #preferences;
  #cards = new Map();
  #near = new Set();
  // Queues that were opened or closed by hand.
  #chosen = new Map();
  #changes = new Map();
  #everything = false;
  #scheduled = false;
  #search = "";
  #filter = "all";
  #sort = "configured";
  #reordered = 0;
  #live = false;
  #observer = new IntersectionObserver((entries) => this.#seen(entries), { rootMargin: "500px" });

  constructor(board, clock, preferences) {
    this.#board = board;
    this.#clock = clock;
    this.#preferences = preferences;
    byId("search").addEventListener("input", ({ target }) => {
      this.#search = fold(target.value.trim());
      this.refresh();
    });
    byId("filter").addEventListener("change", ({ target }) => {
      this.#filter = target.value;
      this.refresh();
    });
    byId("sort").addEventListener("change", ({ target }) => {
      this.#sort = target.value;
      this.#reordered = 0;
      this.refresh();
    });
    byId("expand").addEventListener("click", () => this.#openAll());
    byId("cards").addEventListener("click", ({ target }) => {
      const card = target.closest(".toggle")?.closest(".card");
      if (card) this.#toggle(card.dataset.queue);
    });
    setInterval(() => this.#tick(), 1000);
  }

  // Takes what the store says has changed; it is drawn with the next frame.
  changed(change) {
    if (change.all) this.#everything = true;
    else if (!this.#everything && change.queue) {
      const parts = this.#changes.get(change.queue) ?? new Set();
      this.#changes.set(change.queue, parts.add(change.interface));
    }
    this.#schedule();
  }

  refresh() {
    this.#everything = true;
    this.#schedule();
  }

  // While it is not live, what is shown holds still.
  live(live) {
    this.#live = live;
    byId("board").classList.toggle("stale", !live);
    this.#tick();
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  #draw() {
    const changes = this.#changes;
    this.#changes = new Map();
    if (this.#everything) {
      this.#everything = false;
      this.#drawAll();
    } else {
      for (const [id, parts] of changes) this.#drawQueue(id, parts);
    }
    this.#order();
    this.#count();
    this.#tick(true);
  }

  #drawAll() {
    QueueCard.columns = Math.max(1, Math.floor(byId("cards").clientWidth / (20.5 * rem())));
    const { queues } = this.#board;
    for (const [id, card] of this.#cards) {
      if (queues.has(id)) continue;
      this.#observer.unobserve(card.element);
      this.#near.delete(card);
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
      this.#place(card);
    }
  }

  #drawQueue(id, parts) {
    const card = this.#cards.get(id);
    if (!card) return;
    for (const address of parts) card.changed(address);
    this.#place(card);
  }

  // Whether a card is shown, open, and narrowed to what is searched for.
  #place(card) {
    const { queue } = card;
    const found = find(queue, this.#search);
    card.element.hidden = !found || !passes(queue, this.#filter);
    const open = this.#chosen.get(queue.id) ?? this.#board.queues.size <= FEW;
    card.show({ open: open || found?.inside === true, narrow: found?.narrow ?? null });
  }

  #order() {
    const now = Date.now();
    const parent = byId("cards");
    const cards = [...this.#board.queues.keys()].map((id) => this.#cards.get(id)).filter(Boolean);
    const isNew = parent.childElementCount !== cards.length;
    const busy = parent.contains(document.activeElement);
    const held = this.#sort !== "configured" && (busy || now - this.#reordered < REORDER);
    if (held && !isNew) return;
    this.#reordered = now;
    if (this.#sort === "waiting") {
      cards.sort((a, b) => b.queue.callers.length - a.queue.callers.length);
    } else if (this.#sort === "longest") {
      const since = ({ queue }) => longestSince(queue) ?? Infinity;
      const order = new Map(cards.map((card) => [card, since(card)]));
      // Two that wait for nobody keep their order: Infinity - Infinity is no number.
      cards.sort((a, b) => (order.get(a) === order.get(b) ? 0 : order.get(a) - order.get(b)));
    }
    arrange(parent, cards.map(({ element }) => element));
  }

  #count() {
    const all = this.#cards.size;
    const cards = [...this.#cards.values()];
    const shown = cards.filter(({ element }) => !element.hidden);
    say(byId("shown"), shown.length === all ? count(all, "queue") : `${shown.length} of ${count(all, "queue")}`);
    const nothing = byId("nothing");
    nothing.hidden = shown.length > 0;
    say(nothing, nothingWords(this.#board.loaded, all));
    const anyOpen = shown.some((card) => card.isOpen);
    say(byId("expand"), anyOpen ? "Close all" : "Open all");
    this.#totals();
  }

  #totals() {
    let [waiting, abandoned, completed] = [0, 0, 0];
    for (const { callers, figures } of this.#board.queues.values()) {
      waiting += callers.length;
      abandoned += figures?.abandoned ?? 0;
      completed += figures?.completed ?? 0;
    }
    const offered = abandoned + completed;
    const percent = offered === 0 ? "–" : `${Math.round((abandoned / offered) * 1000) / 10} %`;
    for (const state of ["available", "in_call", "paused"]) {
      total(state, String(this.#board.people.in(state)));
    }
    total("waiting", String(waiting));
    total("abandoned", percent);
    document.title = waiting > 0 ? `(${waiting}) Queues` : "Queues";
  }

  #tick(drawn = false) {
    if (!this.#live && !drawn) return;
    const now = this.#clock.now();
    const late = this.#preferences.late * 1000;
    for (const card of this.#near) card.tick(now, late);
    let since = null;
    for (const queue of this.#board.queues.values()) {
      const first = longestSince(queue);
      if (first !== null && (since === null || first < since)) since = first;
    }
    total("longest", since === null ? "–" : duration(now - since), since !== null && now - since >= late);
    if (!drawn && this.#sort !== "configured") this.#order();
  }

  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const card = this.#cards.get(target.dataset.queue);
      if (!card) continue;
      card.near(isIntersecting);
      if (isIntersecting) this.#near.add(card);
      else this.#near.delete(card);
    }
    this.#tick(true);
  }

  #toggle(id) {
    const card = this.#cards.get(id);
    this.#chosen.set(id, !card.isOpen);
    this.#place(card);
    this.#count();
    this.#tick(true);
  }

  #openAll() {
    const shown = [...this.#cards.values()].filter(({ element }) => !element.hidden);
    const open = !shown.some((card) => card.isOpen);
    for (const card of shown) this.#chosen.set(card.queue.id, open);
    this.refresh();
  }
}

const rem = () => Number.parseFloat(getComputedStyle(document.documentElement).fontSize);

function total(key, text, late = false) {
  const entry = document.querySelector(`[data-total="${key}"]`);
  say(entry.querySelector("dd"), text);
  entry.classList.toggle("late", late);
}

function nothingWords(loaded, all) {
  if (!loaded) return "Waiting for the queues…";
  return all === 0 ? "There are no queues." : "No queue fits what is searched for.";
}

// Whether a queue has what is searched for, and where: `inside` of it, and then
// whether only some agents are to be shown.
function find(queue, search) {
  if (search === "" || queue.words.includes(search)) return { inside: false, narrow: null };
  for (const member of queue.members.values()) {
    if (member.words.includes(search)) return { inside: true, narrow: search };
  }
  const caller = queue.callers.some(({ words }) => words.includes(search));
  return caller ? { inside: true, narrow: null } : null;
}

function passes(queue, filter) {
  const counts = tally(queue);
  switch (filter) {
    case "waiting":
      return queue.callers.length > 0;
    case "unstaffed":
      return !counts.available;
    case "paused":
      return Boolean(counts.paused);
    default:
      return true;
  }
}
