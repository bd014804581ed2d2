// The wall screen: its alarms, its layout, and the options in its address.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Board } from "../../src/pages/shared/state.js";
import { queueStatus } from "../../src/pages/wall/alarm.js";
import { chooseQueues, headSize, MOST_TILES, nameSizes, tileGrid } from "../../src/pages/wall/layout.js";
import { retryDelay, screenOptions } from "../../src/pages/wall/screen.js";
import { mustReload } from "../../src/pages/wall/upgrade.js";
import { member } from "./fixtures.mjs";

const NOW = 1_000_000;

/**
 * Returns the status of a queue with these members, and callers with these waits in seconds.
 *
 * @param {ReturnType<typeof member>[]} members
 * @param {number[]} waits
 * @param {object} [more] fields of the queue
 */
function status(members, waits, more = {}) {
  const callers = waits.map((seconds, index) => ({
    position: index + 1, caller_id_number: null, caller_id_name: null, channel: null,
    unique_id: String(index), wait_seconds: seconds,
  }));
  const board = new Board();
  const queue = { queue: "6001", name: "acme-6001", members, members_hidden: 0, callers, ...more };
  board.apply({ type: "snapshot", data: { queues: [queue] } }, NOW);
  const [first] = board.queues.values();
  return { ...queueStatus(first, NOW, 60_000), queue: first };
}

/**
 * @param {string} state
 * @param {number} number
 */
const inState = (state, number) => member(String(number), { state });

test("queue is calm while an agent is free and no caller is late", () => {
  const calm = status([inState("available", 1), inState("paused", 2), inState("in_call", 3)], [59, 3]);
  assert.deepEqual(calm.alarms, []);
  assert.deepEqual([calm.waiting, calm.longest, calm.free, calm.paused], [2, 59_000, 1, 1]);
  assert.deepEqual(status([], []).alarms, []);
  assert.equal(status([], []).longest, null);
});

test("a caller who waits for the limit raises an alarm", () => {
  assert.deepEqual(status([inState("available", 1)], [60]).alarms, ["waits"]);
  assert.deepEqual(status([inState("available", 1)], [1, 3600]).alarms, ["waits"]);
});

test("callers for whom no agent is free raise an alarm", () => {
  assert.deepEqual(status([], [1]).alarms, ["nobody_free"]);
  assert.deepEqual(status([inState("in_call", 1), inState("wrap_up", 2)], [1]).alarms, ["nobody_free"]);
  // The agent who rings is about to answer one caller.
  assert.deepEqual(status([inState("ringing", 1)], [1]).alarms, []);
  assert.deepEqual(status([inState("ringing", 1)], [2, 1]).alarms, ["nobody_free"]);
});

test("a pause over its limit raises an alarm also during a call", () => {
  const overdue = member("1001", { state: "in_call", paused: true, pause_overdue: true });
  assert.deepEqual(status([overdue], []).alarms, ["paused_too_long"]);
  assert.deepEqual(status([overdue], [61]).alarms, ["nobody_free", "waits", "paused_too_long"]);
});

test("hidden members are counted only by the bridge", () => {
  const unknown = status([], [5], { members_hidden: 3 });
  assert.deepEqual([unknown.alarms, unknown.free, unknown.paused], [[], null, null]);
  const agents = {
    logged_in: 3, available: 0, paused: 1, in_call: 2, ringing: 0, on_hold: 0, unavailable: 0, wrap_up: 0, overdue: 1,
  };
  unknown.queue.statistics = { agents };
  const known = queueStatus(unknown.queue, NOW, 60_000);
  assert.deepEqual([known.alarms, known.free, known.paused], [["nobody_free", "paused_too_long"], 0, 1]);
});

test("tiles fill the screen in equal rows and columns", () => {
  for (const [width, height] of [[1900, 980], [1060, 1750], [370, 780], [3800, 2000]]) {
    for (let count = 1; count <= MOST_TILES + 1; count += 1) {
      const { columns, rows, gap, unit } = tileGrid(count, width, height);
      assert.ok(columns * rows >= count && (columns - 1) * rows < count && columns * (rows - 1) < count);
      assert.ok(unit > 0 && rows * unit + (rows - 1) * gap <= height + 1e-6, `${count} at ${width}`);
      // A tile is 1.92 units wide.
      assert.ok(columns * 1.92 * unit + (columns - 1) * gap <= width + 1e-6);
    }
  }
  assert.deepEqual(tileGrid(0, 1900, 980).unit, 0);
});

test("sixteen queues on a usual screen have large counts and names", () => {
  // wall.css: the count is 0.43 units high.
  const { columns, rows, unit } = tileGrid(16, 1900, 980);
  assert.deepEqual([columns, rows], [4, 4]);
  assert.ok(0.43 * unit >= 96 && nameSizes()[0].size * unit >= 40, String(unit));
  assert.ok(headSize(1920, 1080) >= 40 && headSize(390, 844) >= 14);
});

test("queues keep their places up to 32, and then those in alarm come first", () => {
  const queues = Array.from({ length: 40 }, (_, index) => ({ id: String(index), isFirst: index === 38 || index === 3 }));
  const few = chooseQueues(queues.slice(0, MOST_TILES));
  assert.deepEqual([few.shown, few.hidden], [queues.slice(0, 32).map(({ id }) => id), []]);
  const many = chooseQueues(queues);
  assert.deepEqual(many.shown.slice(0, 4), ["3", "38", "0", "1"]);
  assert.deepEqual([many.shown.length, many.hidden.length], [32, 8]);
});

test("options in the address win over those of the browser", () => {
  const preferences = { late: 45, theme: "auto", view: "queues", sound: true, vibration: true, wallSound: false };
  const read = (/** @type {string} */ fragment) => screenOptions(fragment, preferences);
  assert.deepEqual(read(""), { token: null, isTokenMalformed: false, late: 45, sound: false });
  assert.deepEqual(read("#token=amib_a-Z_9&late=90&sound=1"), {
    token: { token: "amib_a-Z_9" }, isTokenMalformed: false, late: 90, sound: true,
  });
  assert.deepEqual(read("#late=0&sound=yes"), { token: null, isTokenMalformed: false, late: 45, sound: false });
  for (const token of ["amib_", "secret", "amib_é", "amib_a b"]) {
    const { token: valid, isTokenMalformed } = read(`#token=${encodeURIComponent(token)}`);
    assert.deepEqual([valid, isTokenMalformed], [null, true], token);
  }
});

test("a refused screen tries again ever more slowly, and forever", () => {
  assert.deepEqual([1, 2, 3, 5, 6, 1000].map(retryDelay), [15, 30, 60, 240, 300, 300]);
});

test("page reloads once for each other version", () => {
  assert.equal(mustReload('"0123456789abcdef"', "0123456789abcdef", null), false);
  assert.equal(mustReload('W/"0123456789abcdef-gzip"', "0123456789abcdef", null), false);
  assert.equal(mustReload(null, "0123456789abcdef", null), false);
  assert.equal(mustReload('"ffff"', "0123456789abcdef", null), true);
  assert.equal(mustReload('"ffff"', "0123456789abcdef", '"ffff"'), false);
  assert.equal(mustReload('"eeee"', "0123456789abcdef", '"ffff"'), true);
});
