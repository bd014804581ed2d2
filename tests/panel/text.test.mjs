import assert from "node:assert/strict";
import { test } from "node:test";
import { errorFromResponse, failureMessages } from "../../src/pages/api.js";
import { textProblem } from "../../src/pages/dialog.js";
import { textDirection } from "../../src/pages/dom.js";
import { parseReasons, validPreferences } from "../../src/pages/settings.js";
import { Clock, formatCount, formatDuration } from "../../src/pages/time.js";

/** @import { QueueResult } from "../../src/pages/bridge" */

test("durations and counts are formatted", () => {
  const seconds = [0, 7, 59, 60, 754, 3723, 172_800, -5];
  const texts = seconds.map((second) => formatDuration(second * 1000));
  assert.deepEqual(texts, ["0:00", "0:07", "0:59", "1:00", "12:34", "1:02:03", "2 d", "0:00"]);
  assert.deepEqual([formatCount(1, "queue"), formatCount(2, "queue")], ["1 queue", "2 queues"]);
});

test("the clock follows the bridge's clock if the two differ", () => {
  const clock = new Clock();
  clock.synchronize(null);
  clock.synchronize(new Date(Date.now() + 600_000).toUTCString());
  assert.ok(Math.abs(clock.now() - Date.now() - 600_000) < 1500);
  clock.synchronize(new Date().toUTCString());
  assert.ok(Math.abs(clock.now() - Date.now()) < 5);
});

test("an error contains the bridge's message and advice", () => {
  const body = { code: "outcome_unknown", message: "The PBX gave no answer in time." };
  assert.match(errorFromResponse(0, body).message, /no answer in time\. It may or may not have happened/);
  const locked = { code: "too_many_attempts", message: "Too many." };
  assert.match(errorFromResponse(60, locked).message, /Try again in 60 seconds/);
  assert.equal(errorFromResponse(0, null).code, "not_the_bridge");
  /** @type {QueueResult[]} */
  const results = [{ queue: "1", result: "ok" }, { queue: "2", result: "error", message: "No." }];
  assert.deepEqual(failureMessages(results), ["No."]);
});

test("a reason must be a text that Asterisk can store", () => {
  assert.equal(textProblem("Lunch, or so"), "The characters | , ; can't be used here.");
  assert.equal(textProblem("א".repeat(39)), "");
  assert.equal(textProblem("א".repeat(40)), "This is too long.");
  assert.deepEqual(parseReasons(" Lunch \n\nBreak\nLunch"), ["Lunch", "Break"]);
});

test("invalid stored preferences are ignored", () => {
  const stored = { reasons: ["ok", 5, "a|b"], late: -1, theme: "pink", wall: "yes", password: "x" };
  assert.deepEqual(validPreferences(stored), { reasons: ["ok"] });
});

test("a list has the direction of most of its names", () => {
  assert.equal(textDirection(["Dana", "דנה", "كريم"]), "rtl");
  assert.equal(textDirection(["Dana", "דנה", null, "123"]), "ltr");
});
