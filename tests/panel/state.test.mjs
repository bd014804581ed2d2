import assert from "node:assert/strict";
import { test } from "node:test";
import { Board, fold, longestSince, tally } from "../../src/pages/state.js";

const NOW = Date.parse("2026-11-24T12:00:00Z");

function agent(number, fields = {}) {
  return {
    agent: number, alias: `Agent ${number}`, interface: `PJSIP/${number}`, state: "available",
    paused: false, paused_at: null, last_call_at: null, logged_in_at: null, ...fields,
  };
}

const PAUSED = { state: "paused", paused: true, paused_reason: "Lunch", paused_at: "2026-11-24T11:50:00Z" };

function boardOf(...queues) {
  const board = new Board();
  board.apply({ type: "snapshot", data: { queues } }, NOW);
  return board;
}

function queue(number, members, callers = []) {
  return { queue: number, name: `acme-${number}`, members, callers };
}

const member = (board, id, number) => board.queues.get(id).members.get(`PJSIP/${number}`);
const change = (id, what, data) => ({ type: "member", data: { queue: id, change: what, member: data } });

test("changes do what a new snapshot would show", () => {
  const board = boardOf(queue("6001", [agent("1"), agent("2")]));
  const changed = board.apply(change("6001", "paused", agent("2", PAUSED)), NOW);
  assert.deepEqual(changed, { queue: "6001", interface: "PJSIP/2" });
  board.apply(change("6001", "added", agent("3")), NOW);
  board.apply(change("6001", "removed", agent("1")), NOW);
  assert.deepEqual([...board.queues.get("6001").members.keys()], ["PJSIP/2", "PJSIP/3"]);
  assert.deepEqual(tally(board.queues.get("6001")), { paused: 1, available: 1 });
  const again = boardOf(queue("6001", [agent("2", PAUSED), agent("3")]));
  assert.deepEqual(tally(again.queues.get("6001")), tally(board.queues.get("6001")));
});

test("since when: a pause is told, a change is seen, the rest is at least", () => {
  const called = { last_call_at: "2026-11-24T11:58:00Z", logged_in_at: "2026-11-24T09:00:00Z" };
  const board = boardOf(queue("6001", [agent("1", PAUSED), agent("2", { state: "in_call" }), agent("3", called), agent("4")]));
  const since = (number) => {
    const { since: at, exact } = member(board, "6001", number);
    return [(NOW - at) / 1000, exact];
  };
  assert.deepEqual(since("1"), [600, true]);
  assert.deepEqual(since("2"), [0, false]);
  assert.deepEqual(since("3"), [120, true]);
  assert.deepEqual(since("4"), [0, false]);
  board.apply(change("6001", "updated", agent("2", { state: "on_hold" })), NOW + 5000);
  assert.deepEqual(since("2"), [-5, true]);
  // What is not its state does not begin it anew, and neither does a snapshot.
  board.apply(change("6001", "updated", agent("2", { state: "on_hold", penalty: 3 })), NOW + 9000);
  assert.deepEqual(since("2"), [-5, true]);
  board.apply({ type: "snapshot", data: { queues: [queue("6001", [agent("2", { state: "on_hold" })])] } }, NOW + 20_000);
  assert.deepEqual(since("2"), [-5, true]);
});

test("people are counted once, whatever their queues", () => {
  const board = boardOf(queue("6001", [agent("1"), agent("2", PAUSED)]), queue("6002", [agent("1", PAUSED), agent("2", PAUSED)]));
  assert.equal(board.people.in("available"), 1);
  assert.equal(board.people.in("paused"), 1);
  board.apply(change("6001", "paused", agent("1", PAUSED)), NOW);
  assert.deepEqual([board.people.in("available"), board.people.in("paused")], [0, 2]);
  board.apply(change("6002", "updated", agent("1", { state: "in_call" })), NOW);
  assert.deepEqual([board.people.in("in_call"), board.people.in("paused")], [1, 1]);
  board.apply(change("6001", "removed", agent("2")), NOW);
  board.apply(change("6002", "removed", agent("2")), NOW);
  assert.equal(board.people.in("paused"), 0);
});

test("callers and figures come with their queue, and outlive a snapshot", () => {
  const board = boardOf(queue("6001", []));
  const callers = [{ position: 1, wait_seconds: 12 }, { position: 2, wait_seconds: 3 }];
  board.apply({ type: "queue", data: { queue: "6001", callers, callers_waiting: 2, completed: 5 } }, NOW);
  assert.equal(longestSince(board.queues.get("6001")), NOW - 12_000);
  board.apply({ type: "snapshot", data: { queues: [queue("6001", [])] } }, NOW);
  assert.equal(longestSince(board.queues.get("6001")), null);
  assert.equal(board.queues.get("6001").figures.completed, 5);
  board.figures([{ queue: "6001", completed: 6 }, { queue: "unknown" }]);
  assert.equal(board.queues.get("6001").figures.completed, 6);
});

test("what is not known breaks nothing", () => {
  const board = boardOf();
  assert.deepEqual(board.apply(change("6009", "added", agent("1")), NOW), { all: true });
  assert.equal(board.queues.get("6009").members.size, 1);
  assert.equal(board.apply({ type: "later", data: {} }, NOW), null);
  board.apply({ type: "pbx", data: { connected: false } }, NOW);
  assert.equal(board.connected, false);
});

test("a search needs no accents", () => {
  assert.equal(fold("Lucía FERNÁNDEZ"), "lucia fernandez");
  assert.equal(fold("דָּנָה"), "דנה");
});
