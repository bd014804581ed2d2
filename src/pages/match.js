// Which queues match the search and the filter.

import { countStates } from "./state.js";

/** @import { BoardQueue } from "./state.js" */

/**
 * Looks for a search in a queue. Returns null if the queue does not match. `isInside` means
 * that an agent or a caller matches. `narrow` is set if only matching agents are shown.
 *
 * @param {BoardQueue} queue
 * @param {string} search
 */
export function findMatch(queue, search) {
  if (search === "" || queue.searchText.includes(search)) return { isInside: false, narrow: null };
  for (const member of queue.members.values()) {
    if (member.searchText.includes(search)) return { isInside: true, narrow: search };
  }
  const hasCaller = queue.callers.some(({ searchText }) => searchText.includes(search));
  return hasCaller ? { isInside: true, narrow: null } : null;
}

/**
 * Whether a queue passes the filter.
 *
 * @param {BoardQueue} queue
 * @param {string} filter a value of the filter in index.html
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
