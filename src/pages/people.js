// Counts people by state. One person can be a member of many queues, in different states.

// A person has the first of these states that occurs in any of the person's memberships. "paused"
// comes last, so a person counts as paused only if all memberships are paused.
const STATES_BY_PRIORITY = ["in_call", "on_hold", "ringing", "unavailable", "available", "paused"];

/**
 * The number of people in each state. Updated after each change instead of recounted, because
 * counting 50,000 memberships is slow.
 */
export class People {
  /**
   * The number of memberships by person and state.
   *
   * @type {Map<string, Map<string, number>>}
   */
  #memberships = new Map();
  /** @type {Map<string, number>} */
  #totals = new Map();

  /**
   * Adds a membership in this state.
   *
   * @param {string} person
   * @param {string} state
   */
  add(person, state) {
    this.#change(person, state, 1);
  }

  /**
   * Removes a membership in this state.
   *
   * @param {string} person
   * @param {string} state
   */
  remove(person, state) {
    this.#change(person, state, -1);
  }

  /**
   * Returns the number of people in this state.
   *
   * @param {string} state
   */
  count(state) {
    return this.#totals.get(state) ?? 0;
  }

  /**
   * @param {string} person
   * @param {string} state
   * @param {number} difference
   */
  #change(person, state, difference) {
    const memberships = this.#memberships.get(person) ?? new Map();
    this.#addToTotal(memberships, -1);
    const number = (memberships.get(state) ?? 0) + difference;
    if (number > 0) memberships.set(state, number);
    else memberships.delete(state);
    if (memberships.size > 0) this.#memberships.set(person, memberships);
    else this.#memberships.delete(person);
    this.#addToTotal(memberships, 1);
  }

  /**
   * @param {Map<string, number>} memberships
   * @param {number} difference
   */
  #addToTotal(memberships, difference) {
    const state = STATES_BY_PRIORITY.find((candidate) => memberships.has(candidate));
    if (state) this.#totals.set(state, this.count(state) + difference);
  }
}
