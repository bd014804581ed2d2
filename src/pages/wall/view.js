// The wall screen: draws all queues as equal tiles that fill the screen.

import { byId, cloneTemplate, create, find, oncePerFrame, setChildren, setIcon, setText } from "../shared/dom.js";
import { Board } from "../shared/state.js";
import { Clock, formatDuration, formatTimeOfDay } from "../shared/time.js";
import { queueStatus, WORDS } from "./alarm.js";
import { chooseQueues, headSize, nameSizes, tileGrid } from "./layout.js";

/**
 * @import { BoardQueue, BoardUpdate } from "../shared/state.js"
 * @import { Alarm, QueueStatus } from "./alarm.js"
 *
 * @typedef {object} Tile
 * @property {HTMLElement} element
 * @property {string} fitted the name and the unit for which the name was fitted
 *
 * @typedef {object} Entry a queue, as it was drawn last
 * @property {QueueStatus} status
 * @property {number} firstUntil until when the queue is shown before the calm ones
 */

// How often the times are drawn, in milliseconds.
const TICK_INTERVAL = 250;

// How long a queue keeps its place among the first after its alarm, in milliseconds. This prevents
// tiles from moving all the time.
const FIRST_TIME = 15_000;

// In milliseconds.
const HOUR = 3_600_000;

const NAME_SIZES = nameSizes();

export class WallView {
  #board = new Board();
  #clock = new Clock();
  #lateAfter;
  #onAlarm;
  #isLive = false;
  #schedule = oncePerFrame(() => this.#draw());
  #unit = 0;
  /** @type {Map<string, Entry>} by queue */
  #entries = new Map();
  /** @type {Map<string, Tile>} the shown tiles by queue */
  #tiles = new Map();
  /** The tile that counts the queues that have none. */
  #more = create("li", { className: "tile more" });

  /**
   * @param {object} options
   * @param {number} options.lateAfter the wait after which a caller is late, in milliseconds
   * @param {() => void} options.onAlarm called when a queue has a new alarm
   */
  constructor({ lateAfter, onAlarm }) {
    this.#lateAfter = lateAfter;
    this.#onAlarm = onAlarm;
    new ResizeObserver(() => this.#draw()).observe(byId("tiles"));
    setInterval(() => this.#tick(), TICK_INTERVAL);
  }

  /**
   * Shows the state of a session from now on.
   *
   * @param {Board} board
   * @param {Clock} clock
   */
  show(board, clock) {
    this.#board = board;
    this.#clock = clock;
  }

  /** Removes everything that is shown. */
  clear() {
    this.show(new Board(), this.#clock);
    this.setLive(false);
    this.refresh();
  }

  /**
   * Draws a state change in the next frame.
   *
   * @param {BoardUpdate} update
   */
  update(update) {
    if (update !== "nothing") this.#schedule();
  }

  /** Draws everything in the next frame. */
  refresh() {
    this.update("everything");
  }

  /** @param {boolean} isLive whether the page receives events; if not, the times stop */
  setLive(isLive) {
    this.#isLive = isLive;
    byId("wall").classList.toggle("stale", !isLive);
  }

  #tick() {
    setText(byId("clock"), formatTimeOfDay(this.#clock.now(), "short"));
    if (this.#isLive) this.#draw();
  }

  #draw() {
    const now = this.#clock.now();
    const queues = [...this.#board.queues.values()];
    this.#updateEntries(queues, now);
    const entry = (/** @type {string} */ id) => /** @type {Entry} */ (this.#entries.get(id));
    const candidates = queues.map(({ id }) => ({ id, isFirst: now < entry(id).firstUntil }));
    const { shown, hidden } = chooseQueues(candidates);
    this.#drawHead(queues);
    this.#arrange(shown, hidden.map((id) => entry(id).status));
    for (const id of shown) this.#drawTile(id, entry(id).status);
  }

  /**
   * @param {BoardQueue[]} queues
   * @param {number} now
   */
  #updateEntries(queues, now) {
    let isNewAlarm = false;
    for (const queue of queues) {
      const before = this.#entries.get(queue.id);
      const status = queueStatus(queue, now, this.#lateAfter);
      if (before && status.alarms.some((alarm) => !before.status.alarms.includes(alarm))) isNewAlarm = true;
      const firstUntil = status.alarms.length > 0 ? now + FIRST_TIME : (before?.firstUntil ?? 0);
      this.#entries.set(queue.id, { status, firstUntil });
    }
    for (const id of this.#entries.keys()) if (!this.#board.queues.has(id)) this.#entries.delete(id);
    if (isNewAlarm) this.#onAlarm();
  }

  /** @param {BoardQueue[]} queues */
  #drawHead(queues) {
    const { innerWidth, innerHeight } = window;
    setProperty(byId("wall"), "--head", `${headSize(innerWidth, innerHeight).toFixed(1)}px`);
    const statuses = [...this.#entries.values()].map(({ status }) => status);
    const waits = statuses.map(({ longest }) => longest).filter((wait) => wait !== null);
    const longest = waits.length === 0 ? null : Math.max(...waits);
    // A person can be a member of several queues, so hidden members can't be counted.
    const isKnown = queues.length > 0 && queues.every(({ membersHidden }) => membersHidden === 0);
    const people = (/** @type {string} */ state) => (isKnown ? this.#board.people.count(state) : null);
    const waiting = statuses.reduce((sum, status) => sum + status.waiting, 0);
    setTotal("waiting", this.#board.isLoaded ? String(waiting) : "–", false);
    setTotal("longest", longest === null ? "–" : formatDuration(longest), longest !== null && longest >= this.#lateAfter);
    setTotal("available", String(people("available") ?? "–"), false);
    setTotal("overdue", String(people("overdue") ?? "–"), (people("overdue") ?? 0) > 0);
  }

  /**
   * Puts the tiles of these queues on the screen.
   *
   * @param {string[]} shown
   * @param {QueueStatus[]} hidden
   */
  #arrange(shown, hidden) {
    for (const id of this.#tiles.keys()) if (!shown.includes(id)) this.#tiles.delete(id);
    const children = shown.map((id) => this.#tile(id).element);
    if (hidden.length > 0) children.push(this.#more);
    const list = byId("tiles");
    setChildren(list, children);
    const { columns, rows, gap, unit } = tileGrid(children.length, list.clientWidth, list.clientHeight);
    this.#unit = unit;
    setProperty(list, "--columns", String(columns));
    setProperty(list, "--rows", String(rows));
    setProperty(list, "--gap", `${gap}px`);
    setProperty(list, "--unit", `${unit.toFixed(2)}px`);
    const alarmed = hidden.filter(({ alarms }) => alarms.length > 0).length;
    const calm = hidden.length - alarmed;
    const texts = [alarmed > 0 ? `+${alarmed} in alarm` : "", calm > 0 ? `+${calm} calm` : ""];
    setText(this.#more, texts.filter(Boolean).join(", "));
    this.#more.classList.toggle("alarm", alarmed > 0);
  }

  /** @param {string} id */
  #tile(id) {
    let tile = this.#tiles.get(id);
    if (!tile) {
      tile = { element: cloneTemplate("tile"), fitted: "" };
      tile.element.dataset.queue = id;
      this.#tiles.set(id, tile);
    }
    return tile;
  }

  /**
   * @param {string} id
   * @param {QueueStatus} status
   */
  #drawTile(id, status) {
    const { element } = this.#tile(id);
    const name = this.#board.queues.get(id)?.name ?? id;
    setText(find(element, ".number"), id);
    setText(find(element, ".title"), name === id ? "" : name);
    this.#fitName(this.#tile(id), `${id} ${name}`);
    const { alarms, waiting, longest, free, paused } = status;
    element.classList.toggle("alarm", alarms.length > 0);
    for (const alarm of /** @type {const} */ (["waits", "nobody_free", "paused_too_long"])) {
      element.classList.toggle(alarm, alarms.includes(alarm));
    }
    const count = find(element, ".count");
    setText(count, String(waiting));
    count.classList.toggle("long", waiting > 999);
    const word = (/** @type {Alarm} */ alarm) => (alarms.includes(alarm) ? WORDS[alarm] : null);
    setText(find(element, ".label"), word("waits") ?? "");
    const time = find(element, ".longest time");
    setText(time, longest === null ? "" : formatDuration(longest));
    time.classList.toggle("long", (longest ?? 0) >= HOUR);
    setIcon(find(element, ".free > svg", SVGElement), free === 0 ? "unavailable" : "available");
    element.classList.toggle("nobody", free === 0);
    setText(find(element, ".free > span"), word("nobody_free") ?? `${free ?? "–"} free`);
    setText(find(element, ".paused > span"), word("paused_too_long") ?? `${paused ?? "–"} paused`);
  }

  /**
   * Makes a name as large as its place allows.
   *
   * @param {Tile} tile
   * @param {string} name
   */
  #fitName(tile, name) {
    const key = `${this.#unit.toFixed(2)} ${name}`;
    if (tile.fitted === key) return;
    tile.fitted = key;
    const element = find(tile.element, ".name");
    for (const { size, wraps } of NAME_SIZES) {
      element.style.setProperty("--size", String(size));
      element.classList.toggle("wraps", wraps);
      if (element.scrollWidth <= element.clientWidth && element.scrollHeight <= element.clientHeight) return;
    }
  }
}

/**
 * @param {string} key
 * @param {string} text
 * @param {boolean} isAlarm
 */
function setTotal(key, text, isAlarm) {
  const total = find(document, `[data-total="${key}"]`);
  setText(find(total, "dd"), text);
  total.classList.toggle("alarm", isAlarm);
}

/**
 * Sets a custom property, unless it has this value already.
 *
 * @param {HTMLElement} element
 * @param {string} name
 * @param {string} value
 */
function setProperty(element, name, value) {
  if (element.style.getPropertyValue(name) !== value) element.style.setProperty(name, value);
}
