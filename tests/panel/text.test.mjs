import assert from "node:assert/strict";
import { test } from "node:test";
import { reasonText, stateText } from "../../src/pages/shared/member.js";
import { errorFromResponse } from "../../src/pages/shared/api.js";
import { textProblem } from "../../src/pages/shared/dialog.js";
import { validPreferences } from "../../src/pages/shared/settings.js";
import { Clock, formatCount, formatDuration, formatLimit, formatRemaining, parseTime } from "../../src/pages/shared/time.js";
import { member } from "./fixtures.mjs";

test("durations and counts are formatted", () => {
  const seconds = [0, 7, 59, 60, 754, 3723, 172_800, -5];
  const texts = seconds.map((second) => formatDuration(second * 1000));
  assert.deepEqual(texts, ["0:00", "0:07", "0:59", "1:00", "12:34", "1:02:03", "2 d", "0:00"]);
  assert.deepEqual([formatCount(1, "queue"), formatCount(2, "queue")], ["1 queue", "2 queues"]);
});

test("limits are formatted in hours and minutes, or in seconds", () => {
  const texts = [30, 60, 90, 2700, 3600, 5400, 86_400].map(formatLimit);
  assert.deepEqual(texts, ["30 s", "1 min", "90 s", "45 min", "1 h", "1 h 30 min", "24 h"]);
});

test("the remaining time is rounded up until it is over", () => {
  const texts = [60_000, 59_001, 1, 0, -5000].map((remaining) => formatRemaining(1000 + remaining, 1000));
  assert.deepEqual(texts, ["1:00", "1:00", "0:01", "0:00", "0:00"]);
});

test("a missing or invalid time is null", () => {
  assert.equal(parseTime("1970-01-01T00:00:01.250Z"), 1250);
  assert.deepEqual([parseTime(null), parseTime("soon")], [null, null]);
});

test("the clock follows the bridge's clock if the two differ", () => {
  const clock = new Clock();
  clock.synchronize(null, Date.now());
  clock.synchronize(new Date(Date.now() + 600_000).toUTCString(), Date.now());
  assert.ok(Math.abs(clock.now() - Date.now() - 600_000) < 1010);
  clock.synchronize(new Date().toUTCString(), Date.now());
  assert.ok(Math.abs(clock.now() - Date.now()) < 5);
});

test("several responses make the clock more precise", ({ mock }) => {
  // The bridge's clock is 1.5 s ahead, and a response takes 40 ms.
  const start = Date.parse("2026-11-24T12:00:00.000Z");
  mock.timers.enable({ apis: ["Date"], now: start });
  const clock = new Clock();
  const errors = [0, 300, 650, 900].map((time) => {
    mock.timers.setTime(start + time + 40);
    clock.synchronize(new Date(start + time + 20 + 1500).toUTCString(), start + time);
    return Math.abs(clock.now() - Date.now() - 1500);
  });
  assert.ok(errors.every((error) => error <= 540), String(errors));
  assert.ok(errors[3] <= 200, String(errors));
});

test("an error contains the bridge's message and advice", () => {
  const body = { code: "outcome_unknown", message: "The PBX gave no answer in time." };
  assert.match(errorFromResponse(0, body).message, /no answer in time\. It may or may not have happened/);
  const locked = { code: "too_many_attempts", message: "Too many." };
  assert.match(errorFromResponse(60, locked).message, /Try again in 60 seconds/);
  assert.equal(errorFromResponse(0, null).code, "not_the_bridge");
});

test("a reason must be a text that Asterisk can store", () => {
  assert.equal(textProblem("Lunch, or so"), "The characters | , ; can't be used here.");
  assert.equal(textProblem("א".repeat(39)), "");
  assert.equal(textProblem("א".repeat(40)), "This is too long.");
});

test("invalid stored preferences are ignored", () => {
  const stored = { late: -1, theme: "pink", wallSound: "yes", password: "x", reasons: ["Lunch"] };
  assert.deepEqual(validPreferences(stored), {});
  assert.deepEqual(validPreferences({ late: 30, theme: "dark" }), { late: 30, theme: "dark" });
});

test("a pause for a missed call is described in words", () => {
  const paused = { state: "paused", paused: true, paused_reason: "Lunch" };
  const autoPaused = { ...paused, paused_reason: "Auto-Pause", auto_paused: true };
  const texts = (/** @type {object} */ fields) => [stateText(member("1", fields)), reasonText(member("1", fields))];
  assert.deepEqual(texts(autoPaused), ["Paused for a missed call", ""]);
  assert.deepEqual(texts({ ...autoPaused, state: "in_call" }), ["In call, paused for a missed call", ""]);
  assert.deepEqual(texts(paused), ["Paused", "Lunch"]);
  assert.deepEqual(texts({ ...paused, paused_reason: null }), ["Paused", ""]);
  assert.deepEqual(texts({ state: "wrap_up" }), ["Wrap-up", ""]);
});
