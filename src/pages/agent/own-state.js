// The state of the page's own agent, derived from the agent's memberships of queues. This module
// does not touch the page, read a clock or send requests.

import { personState } from "../shared/people.js";
import { longestWaitStart } from "../shared/state.js";
import { parseTime } from "../shared/time.js";

/**
 * @import { Member } from "../bridge"
 * @import { BoardQueue } from "../shared/state.js"
 *
 * @typedef {object} Membership
 * @property {string} queue the queue's number
 * @property {string} name the queue's name; empty if it says no more than the number
 * @property {Member} member
 * @property {number} waiting the number of waiting callers
 * @property {number | null} longestSince when the longest waiting caller joined
 *
 * @typedef {object} OwnState
 * @property {string} name the agent's display name
 * @property {string} state as in `showstate`
 * @property {number | null} since when the state began; null if unknown
 * @property {boolean} isPaused whether the agent is paused in every queue
 * @property {Membership[]} paused the memberships in which the agent is paused
 * @property {Membership[]} memberships
 * @property {Member | null} pause the latest of the agent's pauses
 * @property {number | null} wrapUpEnd when the agent can get calls again
 */

/**
 * Derives the agent's state. Ignores all other agents.
 *
 * @param {Iterable<BoardQueue>} queues
 * @param {string} agent
 * @returns {OwnState}
 */
export function ownState(queues, agent) {
  const memberships = [...queues].flatMap((queue) => ownMembership(queue, agent) ?? []);
  const members = memberships.map(({ member }) => member);
  const paused = memberships.filter(({ member }) => member.paused);
  const state = members.length === 0 ? "logged_out" : personState(members);
  return {
    name: members.find(({ alias }) => alias !== "")?.alias ?? agent,
    state,
    since: stateStart(members, state),
    isPaused: members.length > 0 && paused.length === members.length,
    paused,
    memberships,
    pause: latestPause(paused.map(({ member }) => member)),
    wrapUpEnd: state === "wrap_up" ? earliest(members.map(({ wrap_up_ends_at: end }) => parseTime(end))) : null,
  };
}

/**
 * @param {BoardQueue} queue
 * @param {string} agent
 * @returns {Membership | null}
 */
function ownMembership(queue, agent) {
  const own = [...queue.members.values()].find(({ data }) => data.agent === agent);
  if (!own) return null;
  return {
    queue: queue.id,
    name: queue.name === queue.id ? "" : queue.name,
    member: own.data,
    waiting: queue.callers.length,
    longestSince: longestWaitStart(queue),
  };
}

/**
 * Returns when the agent's state began. The agent is paused or in wrap-up since the last queue
 * began that state, and in any other state since the first one did.
 *
 * @param {Member[]} members
 * @param {string} state
 */
function stateStart(members, state) {
  const starts = members.filter((member) => member.state === state).map((member) => parseTime(member.state_since));
  if (starts.length === 0 || starts.includes(null)) return null;
  const times = starts.map(Number);
  return ["paused", "wrap_up"].includes(state) ? Math.max(...times) : Math.min(...times);
}

/** @param {Member[]} members */
function latestPause(members) {
  const start = (/** @type {Member} */ member) => parseTime(member.paused_at) ?? 0;
  return members.reduce(
    (/** @type {Member | null} */ latest, member) => (latest && start(latest) >= start(member) ? latest : member),
    null,
  );
}

/**
 * Returns the earliest of these times, or null if there is none.
 *
 * @param {(number | null)[]} times
 */
export function earliest(times) {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}
