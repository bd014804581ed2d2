import assert from "node:assert/strict";
import { test } from "node:test";
import { backOff, EventParser } from "../../src/pages/stream.js";

const TEXT =
  "\uFEFFid: a-1\nevent: snapshot\ndata: {\"queues\":[]}\n\n" +
  ":\n\n" +
  "id: a-2\r\nevent: member\r\ndata: {\"queue\":\r\ndata: \"6001\"}\r\n\r\n" +
  "event: pbx\rdata:{}\r\r" +
  "retry: 5\nunknown: x\nid\n\n" +
  "data: cut off";

const EVENTS = [
  { type: "snapshot", data: '{"queues":[]}', id: "a-1" },
  { type: "member", data: '{"queue":\n"6001"}', id: "a-2" },
  { type: "pbx", data: "{}", id: "a-2" },
];

test("any cutting gives the same events", () => {
  for (let size = 1; size <= TEXT.length; size += 1) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < TEXT.length; at += size) events.push(...parser.push(TEXT.slice(at, at + size)));
    assert.deepEqual(events, EVENTS, `pieces of ${size}`);
  }
});

test("a snapshot of many pieces costs no more than its length", () => {
  const parser = new EventParser();
  const piece = "x".repeat(1024);
  const began = performance.now();
  parser.push("data: ");
  for (let count = 0; count < 20_000; count += 1) parser.push(piece);
  const [event] = parser.push("\n\n");
  assert.equal(event.data.length, 20_000 * 1024);
  assert.ok(performance.now() - began < 2000);
});

test("it waits longer each time, up to a limit, and as long as it is told", () => {
  const waits = [0, 1, 2, 5, 50].map((attempt) => backOff(attempt, 0, 1));
  assert.deepEqual(waits, [500, 1000, 2000, 15_000, 15_000]);
  assert.equal(backOff(5, 0, 0), 7500);
  assert.equal(backOff(0, 3, 1), 3000);
});
