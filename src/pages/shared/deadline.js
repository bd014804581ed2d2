// The deadlines of an agent's state: the end of the wrap-up time, and the limit and the end of a
// pause.

import { formatDuration, formatRemaining, parseTime } from "./time.js";

/** @import { Member } from "../bridge" */

// Asterisk reports the start of a pause, and with it the limit, in whole seconds. An end at the
// limit can therefore be up to a second after it.
const ROUNDING = 1000;

/**
 * Returns when the member's deadline is or how long the pause is over its limit, such as
 * `ends in 4:12`, `4:12 left` or `over by 3:12`. Returns an empty text if there is no deadline.
 *
 * Whether a pause is over its limit is the bridge's decision, which arrives as an event. The
 * page's clock may differ by a second, and would contradict the counts.
 *
 * @param {Member} member
 * @param {number} now
 */
export function deadlineText(member, now) {
  if (member.state === "wrap_up") {
    const end = parseTime(member.wrap_up_ends_at);
    return end === null ? "" : `ends in ${formatRemaining(end, now)}`;
  }
  if (!member.paused) return "";
  const end = parseTime(member.pause_ends_at);
  const endText = end === null ? "" : `ends in ${formatRemaining(end, now)}`;
  if (member.pause_overdue) {
    return [excessText(member, now), endText].filter(Boolean).join(", ");
  }
  const limit = parseTime(member.pause_limit_at);
  if (limit === null || (end !== null && end <= limit + ROUNDING)) return endText;
  return `${formatRemaining(limit, now)} left`;
}

/**
 * Returns by how much a pause is over its limit, such as `over by 3:12`.
 *
 * @param {Member} member whose pause is overdue
 * @param {number} now
 */
export function excessText({ pause_limit_at: limitAt }, now) {
  const limit = parseTime(limitAt);
  return limit === null ? "over the limit" : `over by ${formatDuration(now - limit)}`;
}
