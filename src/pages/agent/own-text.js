// The agent's page in words: the state, the pauses and the alerts. This module does not touch the
// page, read a clock or send requests.

import { excessText } from "../shared/deadline.js";
import { stateLabel } from "../shared/member.js";
import { formatDuration, formatRemaining, formatTimeOfDay, parseTime } from "../shared/time.js";

/**
 * @import { Member } from "../bridge"
 * @import { Alert } from "./own-alerts.js"
 * @import { OwnState } from "./own-state.js"
 */

/** @param {string} state */
export function ownStateLabel(state) {
  return state === "logged_out" ? "Logged out" : stateLabel(state);
}

/**
 * Returns a pause's reason, or an empty text if it has none.
 *
 * @param {Member} member
 */
export function pauseReason({ auto_paused: isAutoPaused, paused_reason: reason }) {
  return isAutoPaused ? "Missed call" : (reason ?? "");
}

/**
 * Returns how long a pause has lasted, and its limit: `18:20 of 45:00`.
 *
 * @param {Member} member
 * @param {number} now
 */
export function elapsedText(member, now) {
  const start = parseTime(member.paused_at);
  if (start === null) return "";
  const elapsed = formatDuration(now - start);
  const limit = parseTime(member.pause_limit_at);
  const end = parseTime(member.pause_ends_at);
  if (limit !== null) return `${elapsed} of ${formatDuration(limit - start)}`;
  return end === null ? elapsed : `${elapsed} of ${formatDuration(roundedLength(end - start))}`;
}

/**
 * Rounds the length of a pause in milliseconds to whole seconds, or to minutes if these are less than
 * two seconds away: Asterisk reports the start in whole seconds, and the end is exact.
 *
 * @param {number} length
 */
function roundedLength(length) {
  const minutes = Math.round(length / 60_000) * 60_000;
  return Math.abs(length - minutes) < 2000 ? minutes : Math.round(length / 1000) * 1000;
}

/**
 * Returns when a pause ends and by how much it is over its limit: `over by 3:12 · ends at 13:02`.
 *
 * @param {Member} member
 * @param {number} now
 */
export function endText(member, now) {
  const end = parseTime(member.pause_ends_at);
  const parts = [];
  if (member.pause_overdue) parts.push(excessText(member, now));
  if (end !== null) parts.push(`ends at ${formatTimeOfDay(end, "short")}`);
  return parts.join(" · ");
}

/**
 * Returns the text beside the large state: how long it has lasted, or how long wrap-up still lasts.
 *
 * @param {OwnState} state
 * @param {number} now
 */
export function timerText({ state, since, pause, wrapUpEnd }, now) {
  if (state === "paused" && pause) return elapsedText(pause, now);
  if (wrapUpEnd !== null) return `${formatRemaining(wrapUpEnd, now)} left`;
  return since === null ? "" : formatDuration(now - since);
}

/**
 * Returns the message for an alert.
 *
 * @param {Alert} alert
 * @param {OwnState} state
 */
export function alertText(alert, { isPaused, paused, pause }) {
  if (alert === "warning") return "A minute is left of your pause.";
  if (alert === "resumed") {
    return paused.length === 0 ? "Your pause has ended. You get calls again." : "Your pause has ended in some queues.";
  }
  if (pause?.auto_paused) return "The phone system has paused you after a missed call.";
  return isPaused ? "You were paused by someone else." : "You were paused by someone else in some queues.";
}
