import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalOf } from "../../src/pages/api.js";
import { unfit } from "../../src/pages/dialog.js";
import { direction } from "../../src/pages/dom.js";
import { clean, reasonsOf } from "../../src/pages/settings.js";
import { Clock, count, duration } from "../../src/pages/time.js";

test("durations", () => {
  const seconds = [0, 7, 59, 60, 754, 3723, 172_800, -5];
  const texts = seconds.map((second) => duration(second * 1000));
  assert.deepEqual(texts, ["0:00", "0:07", "0:59", "1:00", "12:34", "1:02:03", "2 d", "0:00"]);
  assert.deepEqual([count(1, "queue"), count(2, "queue")], ["1 queue", "2 queues"]);
});

test("the clock is the bridge's where they differ", () => {
  const clock = new Clock();
  clock.learn(null);
  clock.learn(new Date(Date.now() + 600_000).toUTCString());
  assert.ok(Math.abs(clock.now() - Date.now() - 600_000) < 1500);
  clock.learn(new Date().toUTCString());
  assert.ok(Math.abs(clock.now() - Date.now()) < 5);
});

test("refusals are the bridge's words, with what to do", () => {
  const body = { code: "outcome_unknown", message: "The PBX gave no answer in time." };
  assert.match(refusalOf(504, 0, body).message, /no answer in time\. It may or may not have happened/);
  assert.match(refusalOf(429, 60, { code: "too_many_attempts", message: "Too many." }).message, /Try again in 60 seconds/);
  assert.equal(refusalOf(502, 0, null).code, "strange");
  const rows = [{ result: "ok" }, { result: "error", message: "No." }];
  assert.deepEqual(refusalOf(404, 0, { code: "not_a_member", message: "x", queues: rows }).rows, ["No."]);
});

test("a reason is what Asterisk can keep", () => {
  assert.equal(unfit("Lunch, or so"), "The characters | , ; can't be used here.");
  assert.equal(unfit("א".repeat(39)), "");
  assert.equal(unfit("א".repeat(40)), "This is too long.");
  assert.deepEqual(reasonsOf(" Lunch \n\nBreak\nLunch"), ["Lunch", "Break"]);
});

test("what was stored is not trusted", () => {
  assert.deepEqual(clean({ reasons: ["ok", 5, "a|b"], late: -1, theme: "pink", wall: "yes", password: "x" }), { reasons: ["ok"] });
});

test("a list goes the way of most of its names", () => {
  assert.equal(direction(["Dana", "דנה", "كريم"]), "rtl");
  assert.equal(direction(["Dana", "דנה", null, "123"]), "ltr");
});
