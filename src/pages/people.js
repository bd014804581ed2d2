// How many people are in each state, where one may be an agent of many queues. Kept up
// to date change by change: there may be 50,000 memberships.

// A person's state is the first of these that holds in any queue; paused is who is
// available in none.
const ORDER = ["in_call", "on_hold", "ringing", "unavailable", "available", "paused"];

export class People {
  #memberships = new Map();
  #totals = new Map();

  add(person, state) {
    this.#change(person, state, 1);
  }

  remove(person, state) {
    this.#change(person, state, -1);
  }

  in(state) {
    return this.#totals.get(state) ?? 0;
  }

  #change(person, state, by) {
    const memberships = this.#memberships.get(person) ?? new Map();
    this.#count(memberships, -1);
    const number = (memberships.get(state) ?? 0) + by;
    if (number > 0) memberships.set(state, number);
    else memberships.delete(state);
    if (memberships.size > 0) this.#memberships.set(person, memberships);
    else this.#memberships.delete(person);
    this.#count(memberships, 1);
  }

  #count(memberships, by) {
    const state = ORDER.find((known) => memberships.has(known));
    if (state) this.#totals.set(state, this.in(state) + by);
  }
}
