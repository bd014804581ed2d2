// Decides for which queues the wall screen raises an alarm, and in which words. This module does
// not touch the page, read a clock or send requests.

import { knownCounts, longestWaitStart } from "../shared/state.js";

/**
 * @import { BoardQueue } from "../shared/state.js"
 *
 * @typedef {"waits" | "nobody_free" | "paused_too_long"} Alarm
 *
 * @typedef {object} QueueStatus
 * @property {number} waiting the number of waiting callers
 * @property {number | null} longest the longest current wait in milliseconds; null if no caller
 *   waits
 * @property {number | null} free the number of available agents; null if unknown
 * @property {number | null} paused the number of agents who are paused and not in a call; null if
 *   unknown
 * @property {Alarm[]} alarms empty if the queue is calm
 */

/**
 * The words of each alarm. The wait follows `WAITS`.
 *
 * @type {Record<Alarm, string>}
 */
export const WORDS = { waits: "WAITS", nobody_free: "NOBODY FREE", paused_too_long: "PAUSED TOO LONG" };

/**
 * Returns a queue's numbers and alarms.
 *
 * @param {BoardQueue} queue
 * @param {number} now in milliseconds
 * @param {number} lateAfter the wait after which a caller is late, in milliseconds
 * @returns {QueueStatus}
 */
export function queueStatus(queue, now, lateAfter) {
  const start = longestWaitStart(queue);
  const longest = start === null ? null : Math.max(0, now - start);
  const waiting = queue.callers.length;
  const counts = knownCounts(queue);
  /** @type {Alarm[]} */
  const alarms = [];
  if (counts !== null && isNobodyFree(waiting, counts)) alarms.push("nobody_free");
  if (longest !== null && longest >= lateAfter) alarms.push("waits");
  if ((counts?.overdue ?? 0) > 0) alarms.push("paused_too_long");
  const [free, paused] = counts === null ? [null, null] : [counts.available ?? 0, counts.paused ?? 0];
  return { waiting, longest, free, paused, alarms };
}

/**
 * Returns true if a caller waits for whom no agent is free. An agent who rings is about to answer
 * one caller: without this exception, each call to the last free agent would raise an alarm.
 *
 * @param {number} waiting
 * @param {Partial<Record<string, number>>} counts
 */
function isNobodyFree(waiting, { available = 0, ringing = 0 }) {
  return available === 0 && waiting > ringing;
}
