// The search and the filter for queues.

import { isFound } from "../shared/search.js";
import { knownCounts } from "../shared/state.js";

/**
 * @import { SearchText } from "../shared/search.js"
 * @import { BoardMember, BoardQueue } from "../shared/state.js"
 */

/**
 * Matches a queue against a search. Returns null if the queue does not match.
 * `hasMatchInside` is true if an agent or a caller matches. `agentSearch` is the search if
 * only matching agents should be shown, or null for all agents.
 *
 * @param {BoardQueue} queue
 * @param {string[]} terms
 */
export function findMatch(queue, terms) {
  const text = queueText(queue);
  if (isFound(terms, text)) return { hasMatchInside: false, agentSearch: null };
  for (const member of queue.members.values()) {
    if (isMemberFound(queue, member, terms)) return { hasMatchInside: true, agentSearch: terms };
  }
  const hasCaller = queue.callers.some(({ searchText }) => isFound(terms, { text: searchText }, text));
  return hasCaller ? { hasMatchInside: true, agentSearch: null } : null;
}

/**
 * Returns whether a search finds a member of a queue, by the member or by both together.
 *
 * @param {BoardQueue} queue
 * @param {BoardMember} member
 * @param {string[]} terms
 */
export function isMemberFound(queue, member, terms) {
  return isFound(terms, member.searchText, queueText(queue));
}

/**
 * @param {BoardQueue} queue
 * @returns {SearchText}
 */
function queueText({ searchText }) {
  return { text: searchText };
}

/**
 * Returns whether a queue passes the filter.
 *
 * @param {BoardQueue} queue
 * @param {string} filter a filter value from board.html
 */
export function passesFilter(queue, filter) {
  switch (filter) {
    case "waiting":
      return queue.callers.length > 0;
    case "unstaffed": {
      const counts = knownCounts(queue);
      return counts !== null && !counts.available;
    }
    case "paused":
      return [...queue.members.values()].some(({ data }) => data.paused);
    default:
      return true;
  }
}
