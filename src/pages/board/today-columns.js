// The columns of the Today view, and the order of its rows. This module only computes.

import { searchKey } from "../shared/search.js";
import { formatHours } from "../shared/time.js";

/**
 * @import { ReportReason, ReportRow } from "../bridge"
 * @import { SearchText } from "../shared/search.js"
 *
 * @typedef {"agent" | "queue" | "reason"} Grouping
 *
 * @typedef {object} Column
 * @property {string} id
 * @property {string} label
 * @property {"name" | "time" | "count"} kind
 * @property {boolean} isProblem whether a count above 0 is a problem
 * @property {(row: ReportRow) => string | number | null} value null if the report has no such value
 * @property {(row: ReportRow) => ReportReason | null} pauses the pauses that belong to the value
 *
 * @typedef {object} Sort
 * @property {string} column the id of a column
 * @property {boolean} isDescending
 */

// At most this many reasons have a column, those with the longest pauses.
const MAX_REASON_COLUMNS = 12;

/** @type {Record<Grouping, string>} */
const NAME_LABELS = { agent: "Agent", queue: "Queue", reason: "Reason" };

const collator = new Intl.Collator([], { numeric: true });

/**
 * Returns the columns of a report.
 *
 * @param {Grouping} by
 * @param {ReportRow | null} total
 * @param {string[]} configuredReasons in configured order
 * @returns {Column[]}
 */
export function reportColumns(by, total, configuredReasons) {
  const name = column("name", NAME_LABELS[by], "name", (row) => rowName(row).toLowerCase());
  if (by === "reason") {
    return [name, field("paused_seconds", "Paused"), field("pauses", "Pauses"), field("overdue_pauses", "Over limit")];
  }
  const callers = total?.callers === undefined || by === "agent" ? [] : callerColumns();
  const reasons = shownReasons(total?.reasons ?? [], configuredReasons).map(reasonColumn);
  // The first columns answer the usual questions, on a phone too: who missed calls, and how long was
  // somebody at lunch?
  return [
    name,
    ...callers,
    field("missed_calls", "Missed"),
    { ...field("paused_seconds", "Paused"), pauses: (row) => ({ ...row, reason: null }) },
    ...reasons,
    field("logged_in_seconds", "Logged in"),
    field("calls_taken", "Calls"),
    field("talk_seconds", "Talk"),
    field("wrap_up_seconds", "Wrap-up"),
  ];
}

function callerColumns() {
  return [
    field("callers", "Callers"),
    field("answered", "Answered"),
    field("answered_within_service_level", "In time"),
    field("abandoned", "Abandoned"),
    field("average_wait_seconds", "Average wait"),
    field("longest_wait_seconds", "Longest wait"),
  ];
}

/** The counts that are a problem if they are above 0. */
const PROBLEMS = ["missed_calls", "overdue_pauses", "abandoned"];

/**
 * Returns the column of a number of the rows.
 *
 * @param {keyof ReportRow} key
 * @param {string} label
 */
function field(key, label) {
  const kind = key.endsWith("_seconds") ? "time" : "count";
  return column(key, label, kind, (row) => /** @type {number | undefined} */ (row[key]) ?? null);
}

/** @param {string | null} reason */
function reasonColumn(reason) {
  const pauses = (/** @type {ReportRow} */ row) => row.reasons?.find((each) => each.reason === reason) ?? null;
  const result = column(`reason ${reason ?? ""}`, reasonName(reason), "time", (row) => pauses(row)?.paused_seconds ?? null);
  return { ...result, pauses };
}

/**
 * @param {string} id
 * @param {string} label
 * @param {Column["kind"]} kind
 * @param {Column["value"]} value
 * @returns {Column}
 */
function column(id, label, kind, value) {
  return { id, label, kind, value, isProblem: PROBLEMS.includes(id), pauses: () => null };
}

/**
 * Returns the reasons that have a column: first the configured ones, and last the pauses without a
 * reason. The order does not depend on the numbers, so that a new report moves no column.
 *
 * @param {ReportReason[]} reasons
 * @param {string[]} configured
 */
function shownReasons(reasons, configured) {
  const longest = [...reasons].sort((a, b) => b.paused_seconds - a.paused_seconds).slice(0, MAX_REASON_COLUMNS);
  const rank = (/** @type {string | null} */ reason) => {
    if (reason === null) return configured.length + 1;
    const index = configured.indexOf(reason);
    return index === -1 ? configured.length : index;
  };
  const names = longest.map(({ reason }) => reason);
  return names.sort((a, b) => rank(a) - rank(b) || collator.compare(a ?? "", b ?? ""));
}

/**
 * Returns how many reasons have no column.
 *
 * @param {ReportRow | null} total
 */
export function hiddenReasonCount(total) {
  return Math.max(0, (total?.reasons?.length ?? 0) - MAX_REASON_COLUMNS);
}

/** @param {string | null | undefined} reason */
function reasonName(reason) {
  return reason || "No reason";
}

/**
 * Returns the name of a row's agent, queue or reason.
 *
 * @param {ReportRow} row
 */
export function rowName({ agent, alias, queue, reason }) {
  return alias || agent || queue || reasonName(reason);
}

/**
 * Returns the text that identifies a row among those of a report.
 *
 * @param {ReportRow} row
 */
export function rowKey({ agent, queue, reason }) {
  return agent ?? queue ?? reason ?? "";
}

/**
 * Returns a value as the user sees it.
 *
 * @param {Column} column
 * @param {ReportRow} row
 */
export function valueText({ kind, value }, row) {
  const found = value(row);
  if (found === null) return "";
  return kind === "time" ? formatHours(Number(found)) : String(found);
}

/**
 * Returns the rows in the order of a column. Rows without a value come last, and rows with the same
 * value stay in the report's order.
 *
 * @param {ReportRow[]} rows
 * @param {Column} column
 * @param {boolean} isDescending
 */
export function sortRows(rows, { value }, isDescending) {
  const direction = isDescending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [first, second] = [value(a), value(b)];
    if (first === null || second === null) return Number(first === null) - Number(second === null);
    if (typeof first === "number" && typeof second === "number") return direction * (first - second);
    return direction * collator.compare(String(first), String(second));
  });
}

/**
 * Returns the text in which a search for the row looks: names, numbers and reasons.
 *
 * @param {ReportRow} row
 * @returns {SearchText}
 */
export function rowSearchText(row) {
  const reasons = (row.reasons ?? []).map(({ reason }) => reason);
  const texts = [row.agent, row.alias, row.queue, row.reason, ...reasons];
  return { text: searchKey(texts.filter(Boolean).join(" ")) };
}

/**
 * Adds up the days of a report. Returns null if nothing happened. An average over several days is
 * left out: the report does not have it.
 *
 * @param {ReportRow[]} days
 * @returns {ReportRow | null}
 */
export function totalOf(days) {
  if (days.length < 2) return days[0] ?? null;
  /** @type {ReportRow} */
  const total = { paused_seconds: 0, pauses: 0, overdue_pauses: 0, reasons: [] };
  for (const { day: _day, reasons = [], average_wait_seconds: _average, longest_wait_seconds: longest, ...numbers } of days) {
    addNumbers(total, numbers);
    if (longest !== undefined) total.longest_wait_seconds = Math.max(longest, total.longest_wait_seconds ?? 0);
    for (const { reason, ...pauses } of reasons) addNumbers(reasonIn(total, reason), pauses);
  }
  return total;
}

/**
 * @param {ReportRow} total
 * @param {string | null} reason
 */
function reasonIn({ reasons = [] }, reason) {
  let found = reasons.find((each) => each.reason === reason);
  if (!found) {
    found = { reason, paused_seconds: 0, pauses: 0, overdue_pauses: 0 };
    reasons.push(found);
  }
  return found;
}

/**
 * @param {object} total
 * @param {object} numbers
 */
function addNumbers(total, numbers) {
  const sums = /** @type {Record<string, number>} */ (total);
  for (const [key, number] of Object.entries(numbers)) sums[key] = (sums[key] ?? 0) + number;
}
