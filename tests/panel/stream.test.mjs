import assert from "node:assert/strict";
import { test } from "node:test";
import { EventParser, reconnectDelay } from "../../src/pages/shared/stream.js";

const TEXT =
  "\uFEFFid: a-1\nevent: snapshot\ndata: {\"queues\":[]}\n\n" +
  ":\n\n" +
  "id: a-2\r\nevent: member\r\ndata: {\"queue\":\r\ndata: \"6001\"}\r\n\r\n" +
  "event: pbx\rdata:{}\r\r" +
  "retry: 5\nunknown: x\nid\n\n" +
  "data: incomplete";

const EVENTS = [
  { type: "snapshot", data: '{"queues":[]}', id: "a-1" },
  { type: "member", data: '{"queue":\n"6001"}', id: "a-2" },
  { type: "pbx", data: "{}", id: "a-2" },
];

test("the chunk size does not affect the parsed events", () => {
  for (let size = 1; size <= TEXT.length; size += 1) {
    const parser = new EventParser();
    const events = [];
    for (let start = 0; start < TEXT.length; start += size) {
      events.push(...parser.push(TEXT.slice(start, start + size)));
    }
    assert.deepEqual(events, EVENTS, `chunks of ${size}`);
  }
});

test("a 20 MB line in many chunks is parsed within 2 s", () => {
  const parser = new EventParser();
  const chunk = "x".repeat(1024);
  const startedAt = performance.now();
  parser.push("data: ");
  for (let count = 0; count < 20_000; count += 1) parser.push(chunk);
  const [event] = parser.push("\n\n");
  assert.equal(event.data.length, 20_000 * 1024);
  assert.ok(performance.now() - startedAt < 2000);
});

test("the reconnect delay doubles up to 15 s, and is never shorter than the bridge requires", () => {
  const delays = [0, 1, 2, 5, 50].map((attempt) => reconnectDelay(attempt, 0, 1));
  assert.deepEqual(delays, [500, 1000, 2000, 15_000, 15_000]);
  assert.equal(reconnectDelay(5, 0, 0), 7500);
  assert.equal(reconnectDelay(0, 3, 1), 3000);
});
