// Reports of the day's work, as the bridge sends them: their days, and their gaps in words. This
// module does not touch the page, read a clock or send requests.

import { formatCount, parseTime } from "./time.js";

/**
 * @import { Report, ReportGap } from "../bridge"
 *
 * @typedef {object} Missing the missing parts of a report
 * @property {string} text
 * @property {string[]} gaps the gaps that the text does not name
 */

/** How often a page reads a report that still grows, in milliseconds. */
export const REPORT_INTERVAL = 30_000;

/** How long a page waits after a failed read, in milliseconds. */
export const REPORT_RETRY_DELAY = 5000;

// The text names as many gaps. If there are more, it counts them.
const NAMED_GAPS = 3;

/**
 * Returns the report's time zone, or UTC if the browser does not know it.
 *
 * @param {Pick<Report, "time_zone">} report
 */
export function reportZone({ time_zone: zone }) {
  try {
    new Date().toLocaleTimeString([], { timeZone: zone });
    return zone;
  } catch {
    return "UTC";
  }
}

/**
 * Returns the date in a time zone, such as `2026-11-29`.
 *
 * @param {number} time in milliseconds since 1970
 * @param {string} zone
 */
export function dateIn(time, zone) {
  // Sweden writes dates like this.
  return new Date(time).toLocaleDateString("sv-SE", { timeZone: zone });
}

/**
 * Returns the day before a date.
 *
 * @param {string} date such as `2026-11-29`
 */
export function dayBefore(date) {
  return new Date(Date.parse(date) - 86_400_000).toISOString().slice(0, 10);
}

/**
 * Formats a date for the user.
 *
 * @param {string} date such as `2026-11-29`
 */
export function formatDate(date) {
  const style = /** @type {const} */ ({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
  return new Date(Date.parse(date)).toLocaleDateString([], { ...style, timeZone: "UTC" });
}

/**
 * Formats the report's days for the user.
 *
 * @param {Pick<Report, "from" | "to">} report
 */
export function formatDays({ from, to }) {
  return from === to ? formatDate(from) : `${formatDate(from)} – ${formatDate(to)}`;
}

/**
 * Returns the missing parts of a report, or null if it is complete.
 *
 * @param {Report} report
 * @returns {Missing | null}
 */
export function missingIn(report) {
  const { complete: isComplete, gaps } = report;
  if (isComplete) return null;
  const texts = gaps.map((gap) => gapText(gap, report));
  const isNamed = gaps.length <= NAMED_GAPS;
  const times = isNamed ? joinWithAnd(texts) : formatCount(gaps.length, "time");
  const when = gaps.length === 1 ? "that time" : "these times";
  const gapSentence = `The bridge could not see the phone system ${times}. Calls and pauses of ${when} may be missing.`;
  const sentences = [beginText(report), gaps.length === 0 ? "" : gapSentence];
  return { text: sentences.filter(Boolean).join(" "), gaps: isNamed ? [] : texts };
}

/**
 * Returns when the record begins, if that is after the beginning of the report's days.
 *
 * @param {Report} report
 */
function beginText(report) {
  const begin = parseTime(report.since);
  if (begin === null) return "Nothing is recorded yet: the bridge has not seen the phone system since its start.";
  const zone = reportZone(report);
  const date = dateIn(begin, zone);
  const isMidnight = new Date(begin).toLocaleTimeString("sv-SE", { timeZone: zone }) === "00:00:00";
  if (date < report.from || (date === report.from && isMidnight)) return "";
  return `The record begins on ${formatDate(date)} at ${formatTimeIn(begin, zone)}. Earlier calls and pauses are missing.`;
}

/**
 * @param {ReportGap} gap
 * @param {Report} report
 */
function gapText({ from, to }, report) {
  const moment = (/** @type {string} */ text) => momentText(parseTime(text) ?? 0, report);
  return to === null ? `since ${moment(from)}` : `from ${moment(from)} to ${moment(to)}`;
}

/**
 * Formats a time, with its date unless that is the report's only day.
 *
 * @param {number} time in milliseconds since 1970
 * @param {Report} report
 */
function momentText(time, report) {
  const zone = reportZone(report);
  const date = dateIn(time, zone);
  const clock = formatTimeIn(time, zone);
  return date === report.from && date === report.to ? clock : `${formatDate(date)}, ${clock}`;
}

/**
 * Formats a time of day in a time zone.
 *
 * @param {number} time in milliseconds since 1970
 * @param {string} zone
 */
export function formatTimeIn(time, zone) {
  return new Date(time).toLocaleTimeString([], { timeStyle: "medium", timeZone: zone });
}

/** @param {string[]} texts */
function joinWithAnd(texts) {
  return texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`;
}
