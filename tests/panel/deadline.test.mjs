import assert from "node:assert/strict";
import { test } from "node:test";
import { deadlineText } from "../../src/pages/shared/deadline.js";
import { member } from "./fixtures.mjs";

const NOW = Date.parse("2026-11-24T12:00:00Z");

/** @param {number} seconds */
function inSeconds(seconds) {
  return new Date(NOW + seconds * 1000).toISOString();
}

const PAUSED = { state: "paused", paused: true, paused_reason: "Lunch", paused_at: inSeconds(-600) };

test("a pause shows the time until its end or its limit, whichever is first", () => {
  const text = (/** @type {object} */ fields) => deadlineText(member("1", { ...PAUSED, ...fields }), NOW);
  assert.equal(text({}), "");
  assert.equal(text({ pause_limit_at: inSeconds(252) }), "4:12 left");
  assert.equal(text({ pause_ends_at: inSeconds(252) }), "ends in 4:12");
  assert.equal(text({ pause_limit_at: inSeconds(252), pause_ends_at: inSeconds(60) }), "ends in 1:00");
  assert.equal(text({ pause_limit_at: inSeconds(60), pause_ends_at: inSeconds(252) }), "1:00 left");
  // The limit is in whole seconds, and the end at the limit is not.
  assert.equal(text({ pause_limit_at: inSeconds(60), pause_ends_at: inSeconds(60.7) }), "ends in 1:01");
});

test("an overdue pause shows by how much, and its end if it has one", () => {
  const text = (/** @type {object} */ fields) => {
    const pause = { ...PAUSED, pause_overdue: true, pause_limit_at: inSeconds(-192), ...fields };
    return deadlineText(member("1", pause), NOW);
  };
  assert.equal(text({}), "over by 3:12");
  assert.equal(text({ pause_ends_at: inSeconds(30) }), "over by 3:12, ends in 0:30");
  // The pause continues during a call.
  assert.equal(text({ state: "in_call" }), "over by 3:12");
});

test("the bridge decides whether a pause is overdue, not the page's clock", () => {
  const justBefore = { ...PAUSED, pause_overdue: true, pause_limit_at: inSeconds(1) };
  assert.equal(deadlineText(member("1", justBefore), NOW), "over by 0:00");
  const justAfter = { ...PAUSED, pause_overdue: false, pause_limit_at: inSeconds(-1) };
  assert.equal(deadlineText(member("1", justAfter), NOW), "0:00 left");
});

test("wrap-up shows the time until its end, and other states show nothing", () => {
  const wrapUp = { state: "wrap_up", wrap_up_ends_at: inSeconds(12) };
  assert.equal(deadlineText(member("1", wrapUp), NOW), "ends in 0:12");
  assert.equal(deadlineText(member("1", { state: "in_call" }), NOW), "");
});
