// A queue's card. The card's head is always in the page. Its callers and agents are in the
// page only while the card is open and in or near the viewport.

import { byId, cloneTemplate, create, createIcon, find, setChildren, setText } from "../shared/dom.js";
import { STATE_LABELS } from "../shared/member.js";
import { countStates, longestWaitStart } from "../shared/state.js";
import { formatCount, formatDuration } from "../shared/time.js";
import { AgentRow } from "./agent-row.js";

/**
 * @import { QueueStatistics } from "../bridge"
 * @import { BoardCaller, BoardMember, BoardQueue } from "../shared/state.js"
 *
 * @typedef {object} CallerRow
 * @property {string} key identifies the caller
 * @property {HTMLElement} element
 * @property {BoardCaller} caller
 *
 * @typedef {{ callers: HTMLElement, agents: HTMLElement, title: HTMLElement }} Content
 */

// A card with more agents than this spans all columns of the board.
const WIDE_CARD_AGENTS = 12;

// The states, and the agents whose pause is over its limit.
const COUNT_LABELS = { ...STATE_LABELS, overdue: "Paused over the limit" };

// Estimated heights, in rem, of a row of agents and of the content above the agents.
const ROW_HEIGHT = 3.6;
const CONTENT_HEAD_HEIGHT = 6;

export class QueueCard {
  // The estimated number of agent columns in a card that spans the board.
  static columns = 1;

  element = cloneTemplate("card");
  #toggle = find(this.element, ".toggle");
  #wait = find(this.element, ".wait");
  #longest = find(this.element, ".longest");
  #statistics = find(this.element, ".statistics");
  #contentRoot = find(this.element, ".content");
  #queue;
  #isOpen = false;
  #isNear = false;
  /**
   * Only agents whose search text contains this text are shown; null shows all agents.
   *
   * @type {string | null}
   */
  #agentSearch = null;
  /** @type {Map<string, AgentRow>} by interface */
  #rows = new Map();
  /** @type {CallerRow[]} */
  #callers = [];
  /**
   * The content's elements; null while the content is not in the page.
   *
   * @type {Content | null}
   */
  #content = null;
  /** @type {Map<string, { item: HTMLElement, number: HTMLElement }>} by state, and `overdue` */
  #counts = new Map();

  /** @param {BoardQueue} queue */
  constructor(queue) {
    this.#queue = queue;
    this.element.dataset.queue = queue.id;
    const heading = find(this.element, "h2");
    heading.id = `queue-${queue.id}`;
    this.element.setAttribute("aria-labelledby", heading.id);
    const states = find(this.element, ".states");
    for (const [state, label] of Object.entries(COUNT_LABELS)) {
      const number = create("b");
      const hidden = create("span", { className: "visually-hidden" }, ` ${label.toLowerCase()}`);
      const item = create("li", { title: label, data: { state } }, createIcon(state), number, hidden);
      states.append(item);
      this.#counts.set(state, { item, number });
    }
  }

  get queue() {
    return this.#queue;
  }

  get isOpen() {
    return this.#isOpen;
  }

  /**
   * Updates the whole card.
   *
   * @param {BoardQueue} queue
   */
  update(queue) {
    this.#queue = queue;
    const { id, name } = queue;
    setText(find(this.#toggle, ".number"), id);
    setText(find(this.#toggle, ".name"), name === id ? "" : name);
    this.#updateHead();
    if (this.#content) this.#updateContent(this.#content);
  }

  /**
   * Updates one agent, or the callers and the statistics.
   *
   * @param {string | null} address the agent's interface; null for callers and statistics
   */
  updatePart(address) {
    this.#updateHead();
    if (!this.#content) return;
    if (address === null) this.#updateCallers(this.#content);
    else this.#updateAgent(this.#content, address);
  }

  /**
   * Opens or closes the card, and narrows it to the agents that match a search.
   *
   * @param {{ isOpen: boolean, agentSearch: string | null }} options
   */
  show({ isOpen, agentSearch }) {
    if (isOpen === this.#isOpen && agentSearch === this.#agentSearch) return;
    this.#isOpen = isOpen;
    this.#agentSearch = agentSearch;
    this.#toggle.setAttribute("aria-expanded", String(isOpen));
    this.element.classList.toggle("open", isOpen);
    this.#addOrRemoveContent();
  }

  /**
   * Sets whether the card is in or near the viewport.
   *
   * @param {boolean} isNear
   */
  setNear(isNear) {
    if (isNear === this.#isNear) return;
    this.#isNear = isNear;
    this.#addOrRemoveContent();
  }

  /**
   * Updates all displayed times.
   *
   * @param {number} now
   * @param {number} lateAfter the wait after which a caller is late, in milliseconds
   */
  tick(now, lateAfter) {
    const start = longestWaitStart(this.#queue);
    const isLate = start !== null && now - start >= lateAfter;
    this.element.classList.toggle("late", isLate);
    this.#wait.classList.toggle("late", isLate);
    if (start !== null) setText(find(this.#longest, "time"), formatDuration(now - start));
    for (const row of this.#rows.values()) row.tick(now);
    for (const { element, caller } of this.#callers) {
      setText(find(element, "time"), formatDuration(now - caller.since));
      element.classList.toggle("late", now - caller.since >= lateAfter);
    }
  }

  #updateHead() {
    const queue = this.#queue;
    const waiting = queue.callers.length;
    setText(find(this.#wait, "strong"), String(waiting));
    this.#wait.classList.toggle("some", waiting > 0);
    this.#longest.hidden = waiting === 0;
    const counts = countStates(queue);
    for (const [state, { item, number }] of this.#counts) {
      setText(number, String(counts[state] ?? 0));
      item.classList.toggle("none", !counts[state]);
    }
    this.element.classList.toggle("unstaffed", waiting > 0 && !counts.available);
    this.element.classList.toggle("wide", this.#isWide);
    this.#updateStatistics();
  }

  get #isWide() {
    return this.#queue.members.size > WIDE_CARD_AGENTS;
  }

  #updateStatistics() {
    const list = this.#statistics;
    const entries = statisticsEntries(this.#queue.statistics);
    if (list.childElementCount !== entries.length) {
      list.replaceChildren(...entries.map(() => create("div", {}, create("dt"), create("dd"))));
    }
    entries.forEach(([term, text], index) => {
      const entry = list.children[index];
      setText(find(entry, "dt"), term);
      setText(find(entry, "dd"), text);
    });
  }

  #addOrRemoveContent() {
    const root = this.#contentRoot;
    if (this.#isOpen && this.#isNear) {
      root.style.minHeight = "";
      this.#updateContent(this.#content ?? this.#addContent());
    } else if (!this.#isOpen) {
      root.style.minHeight = "";
      this.#removeContent();
    } else if (!root.contains(document.activeElement)) {
      // Keeps the card's height, so that the page does not jump.
      root.style.minHeight = this.#content ? `${root.offsetHeight}px` : `${this.#estimatedHeight()}rem`;
      this.#removeContent();
    }
  }

  /** Returns the estimated height of the content, in rem. */
  #estimatedHeight() {
    const columns = this.#isWide ? QueueCard.columns : 1;
    return CONTENT_HEAD_HEIGHT + Math.ceil(this.#queue.members.size / columns) * ROW_HEIGHT;
  }

  #addContent() {
    const root = this.#contentRoot;
    root.replaceChildren(byId("content", HTMLTemplateElement).content.cloneNode(true));
    const queue = ` an agent to queue ${this.#queue.id}`;
    find(root, ".add").append(create("span", { className: "visually-hidden" }, queue));
    this.#content = {
      callers: find(root, ".callers"),
      agents: find(root, ".agents ul"),
      title: find(root, "h3 span:not(.visually-hidden)"),
    };
    return this.#content;
  }

  #removeContent() {
    this.#contentRoot.replaceChildren();
    this.#content = null;
    this.#rows.clear();
    this.#callers = [];
  }

  /** @param {Content} content */
  #updateContent(content) {
    this.#updateCallers(content);
    const elements = [];
    const removed = new Set(this.#rows.keys());
    for (const [address, member] of this.#queue.members) {
      if (!this.#isShown(member)) continue;
      removed.delete(address);
      elements.push(this.#updateRow(address, member).element);
    }
    for (const address of removed) this.#rows.delete(address);
    setChildren(content.agents, elements);
    this.#updateTitle(content);
  }

  /** @param {BoardMember} member */
  #isShown(member) {
    return this.#agentSearch === null || member.searchText.includes(this.#agentSearch);
  }

  /**
   * Updates or creates an agent's row, and returns it.
   *
   * @param {string} address
   * @param {BoardMember} member
   */
  #updateRow(address, member) {
    const existing = this.#rows.get(address);
    if (existing) {
      existing.update(member);
      return existing;
    }
    const row = new AgentRow(member);
    this.#rows.set(address, row);
    return row;
  }

  /**
   * @param {Content} content
   * @param {string} address
   */
  #updateAgent(content, address) {
    const member = this.#queue.members.get(address);
    if (member && this.#isShown(member)) {
      const { element } = this.#updateRow(address, member);
      if (!element.parentNode) content.agents.append(element);
    } else {
      this.#rows.get(address)?.element.remove();
      this.#rows.delete(address);
    }
    this.#updateTitle(content);
  }

  /** @param {Content} content */
  #updateTitle({ title }) {
    const { members } = this.#queue;
    const all = formatCount(members.size, "agent");
    setText(title, this.#rows.size === members.size ? all : `${this.#rows.size} of ${all}`);
  }

  /** @param {Content} content */
  #updateCallers(content) {
    const { callers } = this.#queue;
    content.callers.hidden = callers.length === 0;
    const list = find(content.callers, "ol");
    const existing = new Map(this.#callers.map(({ key, element }) => [key, element]));
    this.#callers = callers.map((caller) => {
      const { caller_id_name: name, caller_id_number: number, position } = caller.data;
      const key = caller.data.unique_id ?? caller.data.channel ?? String(position);
      const element = existing.get(key) ?? cloneTemplate("caller");
      setText(find(element, ".position"), String(position ?? ""));
      setText(find(element, ".name"), name || (number ? "" : "Unknown caller"));
      setText(find(element, ".number"), number ?? "");
      return { key, element, caller };
    });
    setChildren(list, this.#callers.map(({ element }) => element));
  }
}

/**
 * Returns the terms and values to show, omitting values that the bridge has not sent.
 *
 * @param {Partial<QueueStatistics> | null} statistics
 */
function statisticsEntries(statistics) {
  /** @type {[string, string][]} */
  const entries = [];
  if (statistics === null) return entries;
  /**
   * @param {string} term
   * @param {number | null | undefined} value
   * @param {(value: number) => string} format
   */
  const add = (term, value, format) => {
    if (typeof value === "number") entries.push([term, format(value)]);
  };
  const { completed, abandoned, abandoned_percent: percent } = statistics;
  add("Answered", completed, String);
  // Without calls there are no percentages and no averages.
  const hasCalls = (completed ?? 0) + (abandoned ?? 0) > 0;
  const share = hasCalls && typeof percent === "number" ? ` (${formatPercent(percent)})` : "";
  add("Abandoned", abandoned, (value) => `${value}${share}`);
  if (!hasCalls) return entries;
  add(`Within ${statistics.service_level_seconds} s`, statistics.service_level_percent, formatPercent);
  add("Avg. wait", statistics.average_hold_seconds, (seconds) => formatDuration(seconds * 1000));
  add("Avg. talk", statistics.average_talk_seconds, (seconds) => formatDuration(seconds * 1000));
  return entries;
}

/** @param {number} percent */
function formatPercent(percent) {
  return `${Math.round(percent * 10) / 10} %`;
}
