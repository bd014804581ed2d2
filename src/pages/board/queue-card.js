// A queue's card. The card's head is always in the page. Its callers and agents are in the
// page only while the card is open and in or near the viewport.

import { byId, cloneTemplate, create, find, setChildren, setText } from "../shared/dom.js";
import { formatCount } from "../shared/time.js";
import { AgentRow } from "./agent-row.js";
import { CallerList } from "./caller-list.js";
import { CardHead } from "./card-head.js";
import { isMemberFound } from "./match.js";

/**
 * @import { Rights } from "../shared/rights.js"
 * @import { BoardMember, BoardQueue } from "../shared/state.js"
 *
 * @typedef {{ callers: CallerList, agents: HTMLElement, title: HTMLElement }} Content
 */

// A card with more agents than this spans all columns of the board.
const WIDE_CARD_AGENTS = 12;

// Estimated heights, in rem, of a row of agents and of the content above the agents.
const ROW_HEIGHT = 3.6;
const CONTENT_HEAD_HEIGHT = 10.5;

export class QueueCard {
  // The estimated number of agent columns in a card that spans the board.
  static columns = 1;

  element = cloneTemplate("card");
  #toggle = find(this.element, ".toggle");
  #head = new CardHead(this.element);
  #contentRoot = find(this.element, ".content");
  #queue;
  #rights;
  #isOpen = false;
  #isNear = false;
  /**
   * The terms of a search. Only agents whom it finds are shown; null shows all agents.
   *
   * @type {string[] | null}
   */
  #agentSearch = null;
  /** @type {Map<string, AgentRow>} by interface */
  #rows = new Map();
  /**
   * The content's elements; null while the content is not in the page.
   *
   * @type {Content | null}
   */
  #content = null;

  /**
   * @param {BoardQueue} queue
   * @param {Rights} rights
   */
  constructor(queue, rights) {
    this.#queue = queue;
    this.#rights = rights;
    this.element.dataset.queue = queue.id;
    const heading = find(this.element, "h2");
    heading.id = `queue-${queue.id}`;
    this.element.setAttribute("aria-labelledby", heading.id);
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
    if (address === null) this.#content.callers.update(this.#queue.callers);
    else this.#updateAgent(this.#content, address);
  }

  /**
   * Opens or closes the card, and narrows it to the agents that match a search.
   *
   * @param {{ isOpen: boolean, agentSearch: string[] | null }} options
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
    this.element.classList.toggle("late", this.#head.tick(this.#queue, now, lateAfter));
    for (const row of this.#rows.values()) row.tick(now);
    this.#content?.callers.tick(now, lateAfter);
  }

  #updateHead() {
    this.#head.update(this.#queue);
    this.element.classList.toggle("wide", this.#isWide);
  }

  get #isWide() {
    return this.#queue.members.size > WIDE_CARD_AGENTS;
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
      callers: new CallerList(find(root, ".callers"), this.#queue.id),
      agents: find(root, ".agents ul"),
      title: find(root, "h3 span:not(.visually-hidden)"),
    };
    this.#content.agents.ariaLabel = `Agents in queue ${this.#queue.id}`;
    return this.#content;
  }

  #removeContent() {
    this.#contentRoot.replaceChildren();
    this.#content = null;
    this.#rows.clear();
  }

  /** @param {Content} content */
  #updateContent(content) {
    content.callers.update(this.#queue.callers);
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
    return this.#agentSearch === null || isMemberFound(this.#queue, member, this.#agentSearch);
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
    const row = new AgentRow(member, this.#rights);
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
      // An agent whom the search finds again returns to the agent's place.
      if (!this.#rows.has(address)) this.#updateContent(content);
      else this.#updateRow(address, member);
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
}
