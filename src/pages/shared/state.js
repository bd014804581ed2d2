// The board's state, built from the bridge's events. This module does not touch the page, read
// a clock or send requests.

import { memberSearchText } from "./member.js";
import { People } from "./people.js";
import { searchKey } from "./search.js";

/**
 * @import { SearchText } from "./search.js"
 * @import { BridgeEvent, Caller, Member, MemberEvent, QueueEvent, QueueStatistics, SnapshotEvent } from "../bridge"
 *
 * @typedef {object} BoardQueue
 * @property {string} id
 * @property {string} name
 * @property {string} searchText
 * @property {Map<string, BoardMember>} members by interface
 * @property {number} membersHidden the number of members that the user may not see
 * @property {BoardCaller[]} callers
 * @property {Partial<QueueStatistics> | null} statistics null until the bridge has sent
 *   statistics
 * @property {Record<string, number> | null} stateCounts cached by `countStates`
 *
 * @typedef {object} BoardCaller
 * @property {Caller} data
 * @property {number} since when the caller joined the queue
 * @property {string} searchText
 *
 * @typedef {{ queue: string, interface: string | null }} QueueUpdate a change of one member,
 *   or of a queue's callers and statistics if `interface` is null
 *
 * @typedef {"everything" | "nothing" | QueueUpdate} BoardUpdate the parts of the board that an
 *   event has changed
 */

/** A queue member as sent by the bridge. */
export class BoardMember {
  /** @type {SearchText | null} */
  #searchText = null;

  /** @param {Member} data */
  constructor(data) {
    this.data = data;
  }

  /** Built only when first used, because there can be 50,000 members. */
  get searchText() {
    this.#searchText ??= memberSearchText(this.data);
    return this.#searchText;
  }
}

/**
 * @param {string} id
 * @returns {BoardQueue}
 */
function emptyQueue(id) {
  return {
    id,
    name: id,
    searchText: searchKey(id),
    members: new Map(),
    membersHidden: 0,
    callers: [],
    statistics: null,
    stateCounts: null,
  };
}

export class Board {
  /** @type {Map<string, BoardQueue>} */
  queues = new Map();
  people = new People();
  /** Whether the bridge is connected to the PBX. */
  isPbxConnected = true;
  /** Whether a snapshot has arrived. */
  isLoaded = false;

  /**
   * Applies an event. Returns the changed parts of the board.
   *
   * @param {BridgeEvent} event
   * @param {number} now
   * @returns {BoardUpdate}
   */
  apply(event, now) {
    switch (event.type) {
      case "snapshot":
        return this.#applySnapshot(event.data, now);
      case "member":
        return this.#applyMember(event.data);
      case "queue":
        return this.#applyQueue(event.data, now);
      case "pbx":
        this.isPbxConnected = event.data.connected === true;
        return "nothing";
      default:
        // An event type that a newer bridge has added.
        return "nothing";
    }
  }

  /**
   * Applies a `showqueuestat` response.
   *
   * @param {QueueStatistics[]} queues
   */
  applyStatistics(queues) {
    for (const statistics of queues) {
      const queue = this.queues.get(statistics.queue);
      if (queue) queue.statistics = statistics;
    }
  }

  /**
   * @param {SnapshotEvent["data"]} data
   * @param {number} now
   * @returns {BoardUpdate}
   */
  #applySnapshot({ queues }, now) {
    const before = this.queues;
    this.queues = new Map();
    this.people = new People();
    for (const data of queues) {
      const old = before.get(data.queue);
      const queue = emptyQueue(data.queue);
      queue.name = data.name ?? data.queue;
      queue.searchText = searchKey(`${queue.id} ${queue.name}`);
      // A snapshot contains no statistics, so the known statistics stay.
      queue.statistics = old?.statistics ?? null;
      for (const member of data.members ?? []) {
        queue.members.set(member.interface, new BoardMember(member));
        this.people.set(queue.id, member);
      }
      queue.membersHidden = data.members_hidden ?? 0;
      queue.callers = (data.callers ?? []).map((caller) => boardCaller(caller, now));
      this.queues.set(queue.id, queue);
    }
    this.isLoaded = true;
    return "everything";
  }

  /**
   * @param {MemberEvent["data"]} data
   * @returns {BoardUpdate}
   */
  #applyMember({ queue: id, change, member: data }) {
    const { queue, isNew } = this.#getOrAddQueue(id);
    queue.stateCounts = null;
    if (change === "removed") {
      queue.members.delete(data.interface);
      this.people.delete(id, data.interface);
    } else {
      this.people.set(id, data);
      queue.members.set(data.interface, new BoardMember(data));
    }
    return isNew ? "everything" : { queue: id, interface: data.interface };
  }

  /**
   * @param {QueueEvent["data"]} data
   * @param {number} now
   * @returns {BoardUpdate}
   */
  #applyQueue({ callers, ...statistics }, now) {
    const { queue, isNew } = this.#getOrAddQueue(statistics.queue);
    if (Array.isArray(callers)) {
      queue.callers = callers.map((caller) => boardCaller(caller, now));
    }
    queue.membersHidden = statistics.members_hidden ?? queue.membersHidden;
    // Statistics that are missing from this event stay as they are.
    queue.statistics = { ...queue.statistics, ...statistics };
    return isNew ? "everything" : { queue: queue.id, interface: null };
  }

  /**
   * Returns the queue, and adds it if no snapshot has listed it.
   *
   * @param {string} id
   */
  #getOrAddQueue(id) {
    const existing = this.queues.get(id);
    if (existing) return { queue: existing, isNew: false };
    const queue = emptyQueue(id);
    this.queues.set(id, queue);
    return { queue, isNew: true };
  }
}

/**
 * @param {Caller} data
 * @param {number} now
 * @returns {BoardCaller}
 */
function boardCaller(data, now) {
  const searchText = searchKey([data.caller_id_number, data.caller_id_name].filter(Boolean).join(" "));
  return { data, since: now - (data.wait_seconds ?? 0) * 1000, searchText };
}

/**
 * Returns the number of members in each state and, as `overdue`, of those whose pause is over
 * its limit. Recounts only after a change.
 *
 * @param {BoardQueue} queue
 */
export function countStates(queue) {
  if (queue.stateCounts === null) {
    /** @type {Record<string, number>} */
    const counts = {};
    for (const { data } of queue.members.values()) {
      counts[data.state] = (counts[data.state] ?? 0) + 1;
      if (data.pause_overdue) counts.overdue = (counts.overdue ?? 0) + 1;
    }
    queue.stateCounts = counts;
  }
  return queue.stateCounts;
}

/**
 * Returns the number of members in each state, those whom the user may not see included. Returns null
 * if there are such members and the bridge has not sent the queue's statistics yet.
 *
 * @param {BoardQueue} queue
 * @returns {Partial<Record<string, number>> | null}
 */
export function knownCounts(queue) {
  if (queue.membersHidden === 0) return countStates(queue);
  return queue.statistics?.agents ? { ...queue.statistics.agents } : null;
}

/**
 * Returns when the caller who has waited longest joined the queue, or null if no caller waits.
 *
 * @param {BoardQueue} queue
 */
export function longestWaitStart(queue) {
  let start = null;
  for (const caller of queue.callers) {
    if (start === null || caller.since < start) start = caller.since;
  }
  return start;
}
