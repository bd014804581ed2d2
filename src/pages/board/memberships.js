// An agent's memberships, looked up on the board.

import { isolate } from "../shared/dom.js";

/**
 * @import { Member } from "../bridge"
 * @import { Content } from "../shared/dialog.js"
 * @import { BoardQueue } from "../shared/state.js"
 *
 * @typedef {{ queue: string, member: Member }} Membership
 */

/**
 * Returns the memberships of these agents, by queue.
 *
 * @param {Iterable<BoardQueue>} queues
 * @param {string[]} agents
 * @returns {Membership[]}
 */
export function membershipsOf(queues, agents) {
  const numbers = new Set(agents);
  const memberships = [];
  for (const { id, members } of queues) {
    for (const { data } of members.values()) {
      if (data.agent !== null && numbers.has(data.agent)) memberships.push({ queue: id, member: data });
    }
  }
  return memberships;
}

/**
 * Returns a text that changes whenever the memberships change in something that a dialog shows.
 *
 * @param {Membership[]} memberships
 */
export function signature(memberships) {
  return JSON.stringify(
    memberships.map(({ queue, member }) => [queue, member.agent, member.paused, member.paused_reason]),
  );
}

/**
 * Returns the queues, each with the reason of its pause.
 *
 * @param {Membership[]} memberships
 * @returns {Content[]}
 */
export function queueNames(memberships) {
  return memberships.flatMap(({ queue, member: { paused, paused_reason: reason } }, index) => [
    index === 0 ? "" : ", ", isolate(queue), ...(paused && reason ? [" (", isolate(reason), ")"] : []),
  ]);
}
