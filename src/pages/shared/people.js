// The people of all queues. One person can be a member of many queues, in different states.

/** @import { Member } from "../bridge" */

// A person has the first of these states that occurs in any of the person's memberships. A person
// with none of them is paused in every queue.
const STATES_BY_PRIORITY = ["in_call", "on_hold", "ringing", "unavailable", "available", "wrap_up"];

/**
 * Returns the state of a person over all memberships.
 *
 * @param {Iterable<Member>} memberships
 */
export function personState(memberships) {
  const states = new Set();
  for (const { state } of memberships) states.add(state);
  return STATES_BY_PRIORITY.find((state) => states.has(state)) ?? [...states].at(-1) ?? "unavailable";
}

/**
 * Returns the totals in which a person counts: the state, `paused` for a pause in any queue, also
 * during a call, and `overdue` for a pause over its limit.
 *
 * @param {Iterable<Member>} memberships
 */
export function personTotals(memberships) {
  const members = [...memberships];
  const totals = new Set([personState(members)]);
  if (members.some(({ paused }) => paused)) totals.add("paused");
  if (members.some(({ pause_overdue: isOverdue }) => isOverdue)) totals.add("overdue");
  return totals;
}

/** The memberships of each person, and the number of people in each total. */
export class People {
  /** @type {Map<string, ReadonlyMap<string, Member>>} by the person's interface, and by queue */
  #memberships = new Map();
  /** @type {Map<string, Set<string>>} the totals in which each person is counted */
  #counted = new Map();
  /** @type {Set<string>} the people who are to be counted again */
  #changed = new Set();
  /** @type {Map<string, number>} */
  #totals = new Map();

  /** The people's interfaces. */
  get interfaces() {
    return this.#memberships.keys();
  }

  /** The number of people. */
  get size() {
    return this.#memberships.size;
  }

  /**
   * Returns a person's memberships by queue, or undefined if the person is in no queue. The map
   * never changes: after a change, the person has another map.
   *
   * @param {string} person the interface
   */
  memberships(person) {
    return this.#memberships.get(person);
  }

  /**
   * Adds or replaces a membership.
   *
   * @param {string} queue
   * @param {Member} member
   */
  set(queue, member) {
    const memberships = new Map(this.#memberships.get(member.interface));
    this.#memberships.set(member.interface, memberships.set(queue, member));
    this.#changed.add(member.interface);
  }

  /**
   * Removes a membership, if it exists.
   *
   * @param {string} queue
   * @param {string} person the interface
   */
  delete(queue, person) {
    const memberships = new Map(this.#memberships.get(person));
    memberships.delete(queue);
    if (memberships.size === 0) this.#memberships.delete(person);
    else this.#memberships.set(person, memberships);
    this.#changed.add(person);
  }

  /**
   * Returns the number of people in a total: a state, `paused` or `overdue`.
   *
   * @param {string} total
   */
  count(total) {
    // Counts only changed people: counting 50,000 memberships after each change is slow.
    for (const person of this.#changed) this.#countAgain(person);
    this.#changed.clear();
    return this.#totals.get(total) ?? 0;
  }

  /** @param {string} person */
  #countAgain(person) {
    const memberships = this.#memberships.get(person);
    const totals = memberships ? personTotals(memberships.values()) : new Set();
    for (const total of this.#counted.get(person) ?? []) this.#totals.set(total, (this.#totals.get(total) ?? 0) - 1);
    for (const total of totals) this.#totals.set(total, (this.#totals.get(total) ?? 0) + 1);
    if (memberships) this.#counted.set(person, totals);
    else this.#counted.delete(person);
  }
}
