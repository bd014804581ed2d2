// A person: one agent over all queues. This module only computes.

import { displayName, memberSearchText, reasonText, stateLabel } from "../shared/member.js";
import { personState, personTotals } from "../shared/people.js";
import { searchKey } from "../shared/search.js";
import { formatLimit, parseTime } from "../shared/time.js";

/**
 * @import { Member } from "../bridge"
 * @import { SearchText } from "../shared/search.js"
 *
 * @typedef {object} Fact a state or a pause of a person, with the queues in which it holds
 * @property {string} state
 * @property {string} text the state in words
 * @property {string} reason the reason of a pause that a person has made
 * @property {number | null} since when it began, in milliseconds; null if the bridge has not seen it
 * @property {boolean} isOverdue whether it is a pause over its limit
 * @property {string[]} queues
 * @property {Member} member the membership with the earliest beginning, overdue ones first
 *
 * @typedef {object} Person
 * @property {string} interface
 * @property {string | null} agent
 * @property {string} name
 * @property {string} state over all queues
 * @property {Fact[]} facts the state first, and then pauses, the overdue ones first
 * @property {boolean} isPaused whether the person is paused in any queue
 * @property {Set<string>} totals the totals in which the person counts
 */

/**
 * Returns a person.
 *
 * @param {ReadonlyMap<string, Member>} memberships by queue; at least one
 * @returns {Person}
 */
export function createPerson(memberships) {
  const members = [...memberships.values()];
  const named = members.find(({ alias }) => alias) ?? members[0];
  const totals = personTotals(members);
  const state = personState(members);
  return {
    interface: named.interface,
    agent: named.agent,
    name: displayName(named),
    state,
    facts: createFacts(memberships, state),
    isPaused: totals.has("paused"),
    totals,
  };
}

/**
 * Returns when the person's state began or, for the total `paused`, the earliest pause. Returns
 * null if the bridge has not seen it begin.
 *
 * @param {Person} person
 * @param {string | null} total null for the person's state
 */
export function stateStart({ facts }, total) {
  const inTotal = facts.filter(({ state }) => state === total);
  const starts = (inTotal.length > 0 ? inTotal : facts.slice(0, 1)).map(({ since }) => since);
  return starts.reduce(earlier);
}

/**
 * Returns the limit over which a pause is, such as `over 30 min`.
 *
 * @param {Member} member
 */
export function overText({ paused_at: start, pause_limit_at: limit }) {
  const [from, to] = [parseTime(start), parseTime(limit)];
  return from === null || to === null ? "over the limit" : `over ${formatLimit(Math.round((to - from) / 1000))}`;
}

/**
 * Returns the text in which a search for the person looks.
 *
 * @param {ReadonlyMap<string, Member>} memberships by queue
 * @param {(queue: string) => string} queueName
 * @returns {SearchText}
 */
export function personSearchText(memberships, queueName) {
  const texts = [...memberships.values()].map(memberSearchText);
  const queues = [...memberships.keys()].map((queue) => searchKey(`${queue} ${queueName(queue)}`));
  // Most memberships of a person have the same text.
  return {
    text: [...new Set([...texts.map(({ text }) => text), ...queues])].join("\n"),
    words: [...new Set(texts.map(({ words }) => words ?? ""))].join(" "),
  };
}

/**
 * @param {ReadonlyMap<string, Member>} memberships
 * @param {string} state
 */
function createFacts(memberships, state) {
  /** @type {Map<string, Fact>} */
  const facts = new Map();
  for (const [queue, member] of memberships) {
    // A pause also holds during a call, and while the device is unavailable.
    if (member.state !== "paused") addFact(facts, queue, stateFact(member));
    if (member.paused) addFact(facts, queue, pauseFact(member));
  }
  const rank = (/** @type {Fact} */ fact) => (fact.state === state ? 0 : fact.state === "paused" ? 1 : 2);
  return [...facts.values()].sort(
    (a, b) => rank(a) - rank(b) || Number(b.isOverdue) - Number(a.isOverdue) || compareStarts(a.since, b.since),
  );
}

/**
 * Adds a queue to the equal fact, or adds the fact.
 *
 * @param {Map<string, Fact>} facts
 * @param {string} queue
 * @param {Omit<Fact, "queues">} fact
 */
function addFact(facts, queue, fact) {
  const key = `${fact.text}\n${fact.reason}`;
  const known = facts.get(key);
  if (!known) {
    facts.set(key, { ...fact, queues: [queue] });
    return;
  }
  known.queues.push(queue);
  const isFirst = fact.isOverdue === known.isOverdue ? isEarlier(fact.since, known.since) : fact.isOverdue;
  if (isFirst) Object.assign(known, fact);
}

/**
 * @param {Member} member
 * @returns {Omit<Fact, "queues">}
 */
function stateFact(member) {
  const { state } = member;
  return { state, text: stateLabel(state), reason: "", since: parseTime(member.state_since), isOverdue: false, member };
}

/**
 * @param {Member} member
 * @returns {Omit<Fact, "queues">}
 */
function pauseFact(member) {
  const text = member.auto_paused ? "Paused for a missed call" : "Paused";
  const since = parseTime(member.paused_at);
  return { state: "paused", text, reason: reasonText(member), since, isOverdue: member.pause_overdue, member };
}

/**
 * Returns whether `a` is known and before `b`.
 *
 * @param {number | null} a
 * @param {number | null} b
 */
function isEarlier(a, b) {
  return a !== null && (b === null || a < b);
}

/**
 * @param {number | null} a
 * @param {number | null} b
 */
function earlier(a, b) {
  return isEarlier(b, a) ? b : a;
}

/**
 * Compares beginnings for a sort, the longest duration first. The bridge has not seen the oldest
 * states begin, so null is first.
 *
 * @param {number | null} a
 * @param {number | null} b
 */
export function compareStarts(a, b) {
  return (a ?? -Infinity) === (b ?? -Infinity) ? 0 : (a ?? -Infinity) < (b ?? -Infinity) ? -1 : 1;
}
