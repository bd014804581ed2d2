// Counts people by state. One person can be a member of many queues, in different states.

/** @import { Member } from "../bridge" */

// A person has the first of these states that occurs in any of the person's memberships. "paused"
// comes last, so a person counts as paused only if all memberships are paused.
const STATES_BY_PRIORITY = ["in_call", "on_hold", "ringing", "unavailable", "available", "wrap_up", "paused"];

/** Counted beside the state: a pause of the person, in any queue, is over its limit. */
const OVERDUE = "overdue";

/**
 * The number of people in each state. Updated after each change instead of recounted, because
 * counting 50,000 memberships is slow.
 */
export class People {
  /**
   * The number of memberships by person, and by state or `overdue`.
   *
   * @type {Map<string, Map<string, number>>}
   */
  #memberships = new Map();
  /** @type {Map<string, number>} */
  #totals = new Map();

  /**
   * Adds a membership.
   *
   * @param {Member} member
   */
  add(member) {
    this.#change(member, 1);
  }

  /**
   * Removes a membership. `member` must equal the added one.
   *
   * @param {Member} member
   */
  remove(member) {
    this.#change(member, -1);
  }

  /**
   * Returns the number of people in this state or, for `overdue`, of those who have a pause that
   * is over its limit.
   *
   * @param {string} state
   */
  count(state) {
    return this.#totals.get(state) ?? 0;
  }

  /**
   * @param {Member} member
   * @param {number} difference
   */
  #change({ interface: person, state, pause_overdue: isOverdue }, difference) {
    const memberships = this.#memberships.get(person) ?? new Map();
    this.#addToTotals(memberships, -1);
    for (const key of isOverdue ? [state, OVERDUE] : [state]) {
      const number = (memberships.get(key) ?? 0) + difference;
      if (number > 0) memberships.set(key, number);
      else memberships.delete(key);
    }
    if (memberships.size > 0) this.#memberships.set(person, memberships);
    else this.#memberships.delete(person);
    this.#addToTotals(memberships, 1);
  }

  /**
   * @param {Map<string, number>} memberships
   * @param {number} difference
   */
  #addToTotals(memberships, difference) {
    const state = STATES_BY_PRIORITY.find((candidate) => memberships.has(candidate));
    if (state) this.#totals.set(state, this.count(state) + difference);
    if (memberships.has(OVERDUE)) this.#totals.set(OVERDUE, this.count(OVERDUE) + difference);
  }
}
