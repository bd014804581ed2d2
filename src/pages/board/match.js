// The search and the filter for queues.

import { countStates } from "../shared/state.js";

/** @import { BoardQueue } from "../shared/state.js" */

/**
 * Matches a queue against a search. Returns null if the queue does not match.
 * `hasMatchInside` is true if an agent or a caller matches. `agentSearch` is the search if
 * only matching agents should be shown, or null for all agents.
 *
 * @param {BoardQueue} queue
 * @param {string} search
 */
export function findMatch(queue, search) {
  if (search === "" || queue.searchText.includes(search)) return { hasMatchInside: false, agentSearch: null };
  for (const member of queue.members.values()) {
    if (member.searchText.includes(search)) return { hasMatchInside: true, agentSearch: search };
  }
  const hasCaller = queue.callers.some(({ searchText }) => searchText.includes(search));
  return hasCaller ? { hasMatchInside: true, agentSearch: null } : null;
}

/**
 * Returns whether a queue passes the filter.
 *
 * @param {BoardQueue} queue
 * @param {string} filter a filter value from index.html
 */
export function passesFilter(queue, filter) {
  const counts = countStates(queue);
  switch (filter) {
    case "waiting":
      return queue.callers.length > 0;
    case "unstaffed":
      return !counts.available;
    case "paused":
      return Boolean(counts.paused);
    default:
      return true;
  }
}
