import assert from "node:assert/strict";
import { test } from "node:test";
import { passesFilter } from "../../src/pages/board/match.js";
import { Board, countStates, knownCounts, longestWaitStart } from "../../src/pages/shared/state.js";
import { member } from "./fixtures.mjs";

/** @import { BridgeEvent, Member, Queue } from "../../src/pages/bridge" */

const NOW = Date.parse("2026-11-24T12:00:00Z");

const PAUSED = { state: "paused", paused: true, paused_reason: "Lunch", paused_at: "2026-11-24T11:50:00Z" };

/**
 * @param {string} number
 * @param {Member[]} members
 * @returns {Queue}
 */
function queue(number, members) {
  return { queue: number, name: `acme-${number}`, members, members_hidden: 0, callers: [] };
}

/**
 * @param {...Queue} queues
 * @returns {BridgeEvent}
 */
function snapshot(...queues) {
  return { type: "snapshot", data: { queues } };
}

/**
 * @param {string} queue
 * @param {string} change
 * @param {Member} member
 * @returns {BridgeEvent}
 */
function memberEvent(queue, change, member) {
  return { type: "member", data: { queue, change, member } };
}

/** @param {...Queue} queues */
function createBoard(...queues) {
  const board = new Board();
  board.apply(snapshot(...queues), NOW);
  return board;
}

/**
 * @param {Board} board
 * @param {string} id
 */
function getQueue(board, id) {
  const found = board.queues.get(id);
  assert.ok(found);
  return found;
}

test("member events lead to the same state as a new snapshot", () => {
  const board = createBoard(queue("6001", [member("1"), member("2")]));
  const update = board.apply(memberEvent("6001", "paused", member("2", PAUSED)), NOW);
  assert.deepEqual(update, { queue: "6001", interface: "PJSIP/2" });
  board.apply(memberEvent("6001", "added", member("3")), NOW);
  board.apply(memberEvent("6001", "removed", member("1")), NOW);
  assert.deepEqual([...getQueue(board, "6001").members.keys()], ["PJSIP/2", "PJSIP/3"]);
  assert.deepEqual(countStates(getQueue(board, "6001")), { paused: 1, available: 1 });
  const fresh = createBoard(queue("6001", [member("2", PAUSED), member("3")]));
  assert.deepEqual(countStates(getQueue(fresh, "6001")), countStates(getQueue(board, "6001")));
});

test("a person in several queues has one state, and is paused if paused in any of them", () => {
  const board = createBoard(
    queue("6001", [member("1"), member("2", PAUSED)]),
    queue("6002", [member("1", PAUSED), member("2", PAUSED)]),
  );
  assert.deepEqual([board.people.count("available"), board.people.count("paused")], [1, 2]);
  board.apply(memberEvent("6001", "paused", member("1", PAUSED)), NOW);
  assert.deepEqual([board.people.count("available"), board.people.count("paused")], [0, 2]);
  board.apply(memberEvent("6002", "updated", member("1", { state: "in_call" })), NOW);
  assert.deepEqual([board.people.count("in_call"), board.people.count("paused")], [1, 2]);
  board.apply(memberEvent("6001", "removed", member("2")), NOW);
  board.apply(memberEvent("6002", "removed", member("2")), NOW);
  assert.equal(board.people.count("paused"), 1);
});

test("a person in wrap-up in one queue is available if another queue has an available membership", () => {
  const wrapUp = member("1", { state: "wrap_up" });
  const board = createBoard(queue("6001", [wrapUp]), queue("6002", [member("1")]), queue("6003", [member("1", PAUSED)]));
  assert.deepEqual([board.people.count("available"), board.people.count("wrap_up")], [1, 0]);
  board.apply(memberEvent("6002", "updated", wrapUp), NOW);
  assert.deepEqual([board.people.count("available"), board.people.count("wrap_up")], [0, 1]);
});

test("an overdue pause is counted in its queue, and once for its person", () => {
  const overdue = { ...PAUSED, pause_overdue: true };
  const board = createBoard(queue("6001", [member("1", overdue), member("2")]), queue("6002", [member("1", overdue)]));
  assert.deepEqual(countStates(getQueue(board, "6001")), { paused: 1, available: 1, overdue: 1 });
  assert.deepEqual([board.people.count("paused"), board.people.count("overdue")], [1, 1]);
  board.apply(memberEvent("6001", "unpaused", member("1")), NOW);
  assert.deepEqual(countStates(getQueue(board, "6001")), { available: 2 });
  assert.equal(board.people.count("overdue"), 1);
  board.apply(memberEvent("6002", "removed", member("1")), NOW);
  assert.equal(board.people.count("overdue"), 0);
  // The pause continues during a call.
  board.apply(memberEvent("6001", "updated", member("2", { ...overdue, state: "in_call" })), NOW);
  assert.deepEqual([board.people.count("in_call"), board.people.count("overdue")], [1, 1]);
});

test("a snapshot replaces the callers, and keeps the statistics from queue events", () => {
  const board = createBoard(queue("6001", []));
  const callers = [{ position: 1, wait_seconds: 12 }, { position: 2, wait_seconds: 3 }];
  const event = { type: "queue", data: { queue: "6001", callers, callers_waiting: 2, completed: 5 } };
  board.apply(/** @type {any} */ (event), NOW);
  assert.equal(longestWaitStart(getQueue(board, "6001")), NOW - 12_000);
  board.apply(snapshot(queue("6001", [])), NOW);
  assert.equal(longestWaitStart(getQueue(board, "6001")), null);
  assert.equal(getQueue(board, "6001").statistics?.completed, 5);
  board.applyStatistics(/** @type {any} */ ([{ queue: "6001", completed: 6 }, { queue: "unknown" }]));
  assert.equal(getQueue(board, "6001").statistics?.completed, 6);
});

test("an unknown queue is added, and an unknown event is ignored", () => {
  const board = createBoard();
  assert.equal(board.apply(memberEvent("6009", "added", member("1")), NOW), "everything");
  assert.equal(getQueue(board, "6009").members.size, 1);
  assert.equal(board.apply(/** @type {any} */ ({ type: "later", data: {} }), NOW), "nothing");
  board.apply({ type: "pbx", data: { connected: false } }, NOW);
  assert.equal(board.isPbxConnected, false);
});

test("members whom the user may not see are counted from the bridge's figures", () => {
  const board = createBoard(queue("6001", [member("1001", { state: "in_call" })]));
  assert.deepEqual(knownCounts(getQueue(board, "6001")), { in_call: 1 });
  const agents = { logged_in: 2, available: 1, paused: 0, in_call: 1, ringing: 0, on_hold: 0, unavailable: 0, wrap_up: 0, overdue: 0 };
  const figures = { completed: 0, abandoned: 0, abandoned_percent: 0, average_hold_seconds: 0, average_talk_seconds: 0, service_level_seconds: 60, service_level_percent: null };
  board.apply({ type: "queue", data: { queue: "6001", callers: [], members_hidden: 1, agents, ...figures } }, NOW);
  assert.deepEqual(knownCounts(getQueue(board, "6001")), agents);
  const fresh = createBoard({ ...queue("6001", []), members_hidden: 1 });
  assert.equal(knownCounts(getQueue(fresh, "6001")), null);
  assert.ok(!passesFilter(getQueue(fresh, "6001"), "unstaffed"), "somebody unseen may be free");
  assert.ok(!passesFilter(getQueue(board, "6001"), "unstaffed"));
});
