import assert from "node:assert/strict";
import { test } from "node:test";
import { dayEntries } from "../../src/pages/agent/own-day.js";
import {
  hiddenReasonCount, reportColumns, rowSearchText, sortRows, totalOf, valueText,
} from "../../src/pages/board/today-columns.js";
import { dateIn, dayBefore, formatDate, missingIn, reportZone } from "../../src/pages/shared/report.js";
import { isFound, searchTerms } from "../../src/pages/shared/search.js";
import { formatHours } from "../../src/pages/shared/time.js";

/** @import { Report, ReportRow } from "../../src/pages/bridge" */

/**
 * Returns a complete report about one day in Jerusalem, except for the given fields.
 *
 * @param {Partial<Report>} fields
 * @returns {Report}
 */
function report(fields) {
  return {
    from: "2026-11-29", to: "2026-11-29", time_zone: "Asia/Jerusalem", by: ["agent"], complete: true,
    since: "2026-11-01T06:00:00Z", gaps: [], rows: [], ...fields,
  };
}

/**
 * Returns the row of an agent, except for the given fields.
 *
 * @param {string} agent
 * @param {Partial<ReportRow>} [fields]
 * @returns {ReportRow}
 */
function row(agent, fields = {}) {
  return {
    agent, alias: null, logged_in_seconds: 28_800, paused_seconds: 3600, pauses: 4, overdue_pauses: 1,
    calls_taken: 31, talk_seconds: 9300, missed_calls: 2, wrap_up_seconds: 465, reasons: [], ...fields,
  };
}

/**
 * Returns the pauses with a reason.
 *
 * @param {string | null} reason
 * @param {number} seconds
 */
function pauses(reason, seconds) {
  return { reason, paused_seconds: seconds, pauses: 2, overdue_pauses: 1 };
}

/**
 * Formats a time as the user of the test sees it.
 *
 * @param {string} time
 */
function inJerusalem(time) {
  return new Date(time).toLocaleTimeString([], { timeStyle: "medium", timeZone: "Asia/Jerusalem" });
}

test("seconds are formatted as hours, minutes and seconds", () => {
  const texts = [0, 7, 754, 3723, 360_000].map(formatHours);
  assert.deepEqual(texts, ["0:00:00", "0:00:07", "0:12:34", "1:02:03", "100:00:00"]);
});

test("days are those of the organization's time zone", () => {
  const beforeMidnight = Date.parse("2026-11-29T21:59:59Z");
  assert.equal(dateIn(beforeMidnight, "Asia/Jerusalem"), "2026-11-29");
  assert.equal(dateIn(beforeMidnight + 1000, "Asia/Jerusalem"), "2026-11-30");
  assert.deepEqual(["2026-03-01", "2026-01-01", "2026-10-26"].map(dayBefore), ["2026-02-28", "2025-12-31", "2026-10-25"]);
  assert.equal(reportZone(report({})), "Asia/Jerusalem");
  assert.equal(reportZone(report({ time_zone: "local" })), "UTC");
});

test("a complete report says nothing about gaps", () => {
  assert.equal(missingIn(report({})), null);
});

test("an incomplete report names its gaps in the organization's time zone", () => {
  const gap = { from: "2026-11-29T09:00:01Z", to: "2026-11-29T09:00:09Z" };
  const one = missingIn(report({ complete: false, gaps: [gap] }));
  const [from, to] = [gap.from, gap.to].map(inJerusalem);
  const expected = `The bridge could not see the phone system from ${from} to ${to}. Calls and pauses of that time may be missing.`;
  assert.deepEqual(one, { text: expected, gaps: [] });
  const lasting = { from: "2026-11-29T10:00:00Z", to: null };
  const two = missingIn(report({ complete: false, gaps: [gap, lasting] }));
  assert.match(two?.text ?? "", new RegExp(`from ${from} to ${to} and since ${inJerusalem(lasting.from)}\\.`));
});

test("a gap that reaches into other days has dates", () => {
  const gap = { from: "2026-11-28T20:00:00Z", to: "2026-11-29T09:00:09Z" };
  const missing = missingIn(report({ complete: false, gaps: [gap] }));
  assert.match(missing?.text ?? "", new RegExp(`from ${formatDate("2026-11-28")}, ${inJerusalem(gap.from)} to ${inJerusalem(gap.to)}\\.`));
});

test("many gaps are counted and listed", () => {
  const gaps = [1, 2, 3, 4].map((minute) => ({ from: `2026-11-29T09:0${minute}:00Z`, to: `2026-11-29T09:0${minute}:30Z` }));
  const missing = missingIn(report({ complete: false, gaps }));
  assert.match(missing?.text ?? "", /could not see the phone system 4 times\./);
  assert.equal(missing?.gaps.length, 4);
  assert.equal(missing?.gaps[3], `from ${inJerusalem(gaps[3].from)} to ${inJerusalem(gaps[3].to)}`);
});

test("a report names the beginning of the record only if that is after the beginning of its days", () => {
  const text = (/** @type {string | null} */ since) => missingIn(report({ complete: false, since }))?.text;
  const begin = "2026-11-29T06:00:00Z";
  assert.equal(
    text(begin),
    `The record begins on ${formatDate("2026-11-29")} at ${inJerusalem(begin)}. Earlier calls and pauses are missing.`,
  );
  assert.match(text("2026-11-30T06:00:00Z") ?? "", /^The record begins on/);
  // Midnight in Jerusalem.
  assert.equal(text("2026-11-28T22:00:00Z"), "");
  assert.match(text(null) ?? "", /^Nothing is recorded yet/);
});

test("each reason has a column: configured ones first, and no reason last", () => {
  const reasons = [pauses(null, 9), pauses("Zoo", 1), pauses("Lunch", 5), pauses("Auto-Pause", 2), pauses("Break", 3)];
  const columns = reportColumns("agent", row("", { reasons }), ["Lunch", "Break", "Training"]);
  const labels = columns.map(({ label }) => label);
  assert.deepEqual(labels, [
    "Agent", "Missed", "Paused", "Lunch", "Break", "Auto-Pause", "Zoo", "No reason", "Logged in", "Calls", "Talk", "Wrap-up",
  ]);
  const dana = row("1001", { reasons: [pauses("Lunch", 2700)] });
  assert.deepEqual(columns.map((column) => valueText(column, dana)).slice(1), [
    "2", "1:00:00", "0:45:00", "", "", "", "", "8:00:00", "31", "2:35:00", "0:07:45",
  ]);
  assert.deepEqual(columns[3].pauses(dana), pauses("Lunch", 2700));
  assert.equal(columns[4].pauses(dana), null);
});

test("of many reasons, those with the longest pauses have a column", () => {
  const reasons = Array.from({ length: 15 }, (_, index) => pauses(`R${index}`, index));
  const total = row("", { reasons });
  const labels = reportColumns("agent", total, ["R0"]).map(({ label }) => label);
  assert.ok(labels.includes("R14") && labels.includes("R3") && !labels.includes("R2") && !labels.includes("R0"), String(labels));
  assert.deepEqual([hiddenReasonCount(total), hiddenReasonCount(null)], [3, 0]);
});

test("callers have columns in a report by queue, if the user may see them", () => {
  const total = row("", { callers: 5, answered: 4, abandoned: 1 });
  const hasCallers = (/** @type {"agent" | "queue"} */ by, /** @type {ReportRow} */ sum) =>
    reportColumns(by, sum, []).some(({ label }) => label === "Abandoned");
  assert.deepEqual([hasCallers("queue", total), hasCallers("agent", total), hasCallers("queue", row(""))], [true, false, false]);
});

test("rows are sorted by value, and those without a value come last", () => {
  const rows = [
    row("1001", { alias: "Zoë", missed_calls: 2, reasons: [pauses("Lunch", 60)] }),
    row("1002", { alias: "adam", missed_calls: 10 }),
    row("1003", { missed_calls: 2, reasons: [pauses("Lunch", 90)] }),
  ];
  const columns = reportColumns("agent", row("", { reasons: [pauses("Lunch", 150)] }), []);
  const order = (/** @type {string} */ label, /** @type {boolean} */ isDescending) => {
    const column = columns.find((each) => each.label === label) ?? columns[0];
    return sortRows(rows, column, isDescending).map(({ agent }) => agent);
  };
  assert.deepEqual(order("Missed", true), ["1002", "1001", "1003"]);
  assert.deepEqual(order("Missed", false), ["1001", "1003", "1002"]);
  assert.deepEqual(order("Agent", false), ["1003", "1002", "1001"]);
  assert.deepEqual(order("Lunch", true), ["1003", "1001", "1002"]);
  assert.deepEqual(order("Lunch", false), ["1001", "1003", "1002"]);
});

test("a search finds rows by name, number and reason", () => {
  const text = rowSearchText(row("1001", { alias: "Zoë Müller", reasons: [pauses("Lunch", 60)] }));
  const isRowFound = (/** @type {string} */ search) => isFound(searchTerms(search), text);
  assert.deepEqual(["zoe", "1001 lunch", "1002"].map(isRowFound), [true, true, false]);
});

test("the total adds up the days", () => {
  const day = (/** @type {string} */ date, /** @type {Partial<ReportRow>} */ fields) => {
    const { agent: _agent, alias: _alias, ...numbers } = row("", fields);
    return { day: date, ...numbers };
  };
  assert.equal(totalOf([]), null);
  const first = day("2026-11-28", { callers: 3, average_wait_seconds: 5, longest_wait_seconds: 30, reasons: [pauses("Lunch", 60)] });
  const second = day("2026-11-29", { callers: 4, average_wait_seconds: 9, longest_wait_seconds: 20, reasons: [pauses("Lunch", 30), pauses(null, 5)] });
  assert.deepEqual(totalOf([first]), first);
  assert.deepEqual(totalOf([first, second]), {
    logged_in_seconds: 57_600, paused_seconds: 7200, pauses: 8, overdue_pauses: 2, calls_taken: 62, talk_seconds: 18_600,
    missed_calls: 4, wrap_up_seconds: 930, callers: 7, longest_wait_seconds: 30,
    reasons: [{ reason: "Lunch", paused_seconds: 90, pauses: 4, overdue_pauses: 2 }, pauses(null, 5)],
  });
});

test("an agent's own day lists the pauses by reason", () => {
  const entries = dayEntries(row("1001", { reasons: [pauses("Lunch", 2700)] }));
  assert.deepEqual(entries.map(({ label, value, note }) => [label, value, note]), [
    ["Logged in", "8:00:00", ""],
    ["Paused", "1:00:00", "4 pauses"],
    ["Lunch", "0:45:00", "2 pauses, 1 over limit"],
    ["Calls", "31", ""],
    ["Missed calls", "2", ""],
    ["Talk", "2:35:00", ""],
    ["Wrap-up", "0:07:45", ""],
  ]);
});
