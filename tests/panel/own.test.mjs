import assert from "node:assert/strict";
import { test } from "node:test";
import { OwnAlerts, isDeadlineNear, nextDeadline } from "../../src/pages/agent/own-alerts.js";
import { ownState } from "../../src/pages/agent/own-state.js";
import { alertText, elapsedText, endText, ownStateLabel, timerText } from "../../src/pages/agent/own-text.js";
import { Board } from "../../src/pages/shared/state.js";
import { member } from "./fixtures.mjs";

/** @import { Member } from "../../src/pages/bridge" */

const NOW = Date.parse("2026-11-24T12:00:00Z");

/** @param {number} seconds */
function inSeconds(seconds) {
  return new Date(NOW + seconds * 1000).toISOString();
}

/**
 * Returns the state of agent 1 in one queue for each of these memberships. Agent 2 is in all of
 * these queues.
 *
 * @param {...Partial<Member>} memberships
 */
function stateOf(...memberships) {
  const board = new Board();
  const queues = memberships.map((fields, index) => ({
    queue: `600${index + 1}`, name: `acme-600${index + 1}`, members: [member("2", PAUSED), member("1", fields)],
    members_hidden: 0, callers: [],
  }));
  board.apply({ type: "snapshot", data: { queues } }, NOW);
  return ownState(board.queues.values(), "1");
}

/** @type {Partial<Member>} */
const PAUSED = {
  state: "paused", paused: true, paused_reason: "Lunch", paused_at: inSeconds(-600), state_since: inSeconds(-600),
};
const WRAP_UP = { state: "wrap_up", wrap_up_ends_at: inSeconds(12), state_since: inSeconds(-3) };
const AVAILABLE = { state_since: inSeconds(-60) };

test("the agent's state is the first that holds over all memberships", () => {
  const state = (/** @type {Partial<Member>[]} */ ...memberships) => stateOf(...memberships).state;
  assert.equal(state(), "logged_out");
  assert.equal(state(PAUSED, { ...PAUSED, state: "in_call" }), "in_call");
  assert.equal(state({ state: "ringing" }, { state: "on_hold" }), "on_hold");
  assert.equal(state(PAUSED, { state: "unavailable" }), "unavailable");
  assert.equal(state(PAUSED, PAUSED), "paused");
  assert.equal(state(PAUSED, AVAILABLE), "available");
  assert.equal(state(PAUSED, WRAP_UP), "wrap_up");
  assert.equal(state(AVAILABLE, WRAP_UP), "available");
});

test("a state begins with the first queue, and a pause of all queues with the last one", () => {
  const later = { ...PAUSED, state_since: inSeconds(-20), paused_at: inSeconds(-20), paused_reason: "Break" };
  assert.equal(stateOf(AVAILABLE, { state_since: inSeconds(-5) }).since, NOW - 60_000);
  assert.equal(stateOf(PAUSED, later).since, NOW - 20_000);
  assert.equal(stateOf(later, PAUSED).pause?.paused_reason, "Break");
  assert.equal(stateOf(AVAILABLE, { state_since: null }).since, null);
});

test("times are those of the state, of the pause and its limit, or of the wrap-up time", () => {
  const limited = { ...PAUSED, pause_limit_at: inSeconds(2100), pause_ends_at: inSeconds(2100.4) };
  assert.equal(timerText(stateOf(AVAILABLE), NOW), "1:00");
  assert.equal(timerText(stateOf(limited), NOW), "10:00 of 45:00");
  assert.equal(timerText(stateOf(WRAP_UP, PAUSED), NOW), "0:12 left");
  assert.equal(timerText(stateOf({}), NOW), "");
  assert.equal(elapsedText(member("1", { ...PAUSED, pause_ends_at: inSeconds(0.9) }), NOW), "10:00 of 10:00");
  assert.equal(elapsedText(member("1", { ...PAUSED, pause_ends_at: inSeconds(30.4) }), NOW), "10:00 of 10:30");
  assert.match(endText(member("1", limited), NOW), /^ends at .*35/);
  const overdue = { ...PAUSED, pause_limit_at: inSeconds(-192), pause_overdue: true };
  assert.equal(endText(member("1", overdue), NOW), "over by 3:12");
  assert.deepEqual(["logged_out", "wrap_up", "new_state"].map(ownStateLabel), ["Logged out", "Wrap-up", "new state"]);
});

test("changes by others alert, and the agent's own changes do not", () => {
  const alerts = new OwnAlerts();
  assert.equal(alerts.update(stateOf(PAUSED, AVAILABLE), NOW), null, "the first state is no change");
  assert.equal(alerts.update(stateOf(PAUSED, PAUSED), NOW), "paused");
  assert.equal(alerts.update(stateOf(PAUSED, AVAILABLE), NOW), "resumed");
  assert.equal(alerts.update(stateOf(PAUSED), NOW), null, "leaving a queue ends no pause");
  alerts.expect("resumed");
  assert.equal(alerts.update(stateOf(AVAILABLE), NOW + 60_000), null);
  alerts.expectNoMore(NOW + 60_000);
  assert.equal(alerts.update(stateOf(PAUSED), NOW + 60_001), "paused", "the opposite is someone else's");
  assert.equal(alerts.update(stateOf(AVAILABLE), NOW + 62_001), "resumed", "too late for the own change");
});

test("an alert says what has happened", () => {
  assert.equal(alertText("paused", stateOf(PAUSED)), "You were paused by someone else.");
  assert.match(alertText("paused", stateOf(PAUSED, AVAILABLE)), /in some queues/);
  const missed = { ...PAUSED, auto_paused: true };
  assert.match(alertText("paused", stateOf(missed)), /missed call/);
  assert.match(alertText("resumed", stateOf(AVAILABLE)), /You get calls again/);
  assert.match(alertText("resumed", stateOf(AVAILABLE, PAUSED)), /in some queues/);
});

test("a warning comes once, a minute before a limit or an end", () => {
  const alerts = new OwnAlerts();
  const state = stateOf({ ...PAUSED, pause_limit_at: inSeconds(62), pause_ends_at: inSeconds(500) });
  assert.equal(nextDeadline(state, NOW), NOW + 62_000);
  assert.equal(alerts.tick(state, NOW), null);
  assert.equal(isDeadlineNear(state, NOW + 1999), false);
  assert.equal(alerts.tick(state, NOW + 2000), "warning");
  assert.equal(isDeadlineNear(state, NOW + 2000), true);
  assert.equal(alerts.tick(state, NOW + 2250), null);
  // A pause that is already in its last minute causes no warning.
  assert.equal(new OwnAlerts().tick(state, NOW + 30_000), null);
});
