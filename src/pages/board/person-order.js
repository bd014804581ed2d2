// The order of the people on the page. This module only computes.

import { compareStarts, stateStart } from "./person.js";

/** @import { Person } from "./person.js" */

// Without a filter, the people are grouped by state, those first who get no calls by their own
// choice.
const STATES = ["paused", "available", "wrap_up", "ringing", "in_call", "on_hold", "unavailable"];

const collator = new Intl.Collator(undefined, { numeric: true });

/**
 * Returns the people in the order of the page: the longest in the state first.
 *
 * @param {Person[]} people
 * @param {string | null} total the total that is the filter; null for all people
 */
export function sortPeople(people, total) {
  const keyed = people.map((person) => ({
    person,
    state: total === null ? STATES.indexOf(person.state) : 0,
    start: stateStart(person, total),
  }));
  keyed.sort(
    (a, b) => a.state - b.state || compareStarts(a.start, b.start) || collator.compare(a.person.name, b.person.name),
  );
  return keyed.map(({ person }) => person);
}

/**
 * Returns the order while the list is in use, in which nothing moves: a person who has left the
 * list leaves a gap (null), and a new person comes last.
 *
 * @param {(string | null)[]} before the interfaces in the present order
 * @param {string[]} after the interfaces in the new order
 */
export function keepOrder(before, after) {
  const left = new Set(after);
  const order = before.map((person) => (person !== null && left.delete(person) ? person : null));
  return [...order, ...left];
}
