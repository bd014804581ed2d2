// The agent's own day, from a report. This module does not touch the page, read a clock or send
// requests.

import { formatCount, formatHours } from "../shared/time.js";

/**
 * @import { ReportRow } from "../bridge"
 *
 * @typedef {object} DayEntry
 * @property {string} label
 * @property {string} value
 * @property {string} note
 * @property {boolean} isReason whether it is a part of the pauses
 */

/**
 * Returns the entries of the agent's day, in the order of the page.
 *
 * @param {ReportRow} row
 * @returns {DayEntry[]}
 */
export function dayEntries(row) {
  const { logged_in_seconds: loggedIn = 0, talk_seconds: talk = 0, wrap_up_seconds: wrapUp = 0, reasons = [] } = row;
  const { calls_taken: calls = 0, missed_calls: missed = 0 } = row;
  return [
    entry("Logged in", formatHours(loggedIn)),
    entry("Paused", formatHours(row.paused_seconds), formatCount(row.pauses, "pause")),
    ...reasons.map((each) => {
      const over = each.overdue_pauses > 0 ? `, ${each.overdue_pauses} over limit` : "";
      const note = `${formatCount(each.pauses, "pause")}${over}`;
      return { ...entry(each.reason ?? "No reason", formatHours(each.paused_seconds), note), isReason: true };
    }),
    entry("Calls", String(calls)),
    entry("Missed calls", String(missed)),
    entry("Talk", formatHours(talk)),
    entry("Wrap-up", formatHours(wrapUp)),
  ];
}

/**
 * @param {string} label
 * @param {string} value
 * @param {string} [note]
 * @returns {DayEntry}
 */
function entry(label, value, note = "") {
  return { label, value, note, isReason: false };
}
