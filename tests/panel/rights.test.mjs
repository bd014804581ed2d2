import assert from "node:assert/strict";
import { test } from "node:test";
import { matches, Rights } from "../../src/pages/shared/rights.js";

test("a limit of agents is a number, a pattern or a range, as in the configuration", () => {
  assert.ok(matches("1001", "1001"));
  assert.ok(!matches("1001", "10011"));
  assert.ok(matches("Dana", "dana"));
  assert.ok(matches("20*", "2001"));
  assert.ok(!matches("20*", "1201"));
  assert.ok(matches("1*1", "101"));
  assert.ok(!matches("1*1", "1"), "prefix and suffix do not overlap");
  assert.ok(matches("0998-1001", "0999"));
  for (const agent of ["0997", "1002", "999", "0999a"]) assert.ok(!matches("0998-1001", agent), agent);
});

test("a user with a limit may change only those agents", async () => {
  const identity = { user: "boss", actions: ["pause"], agent: null, agents: /** @type {string[] | null} */ (["1001", "20*"]) };
  const rights = new Rights(/** @type {any} */ ({ read: async () => identity }));
  await rights.refresh();
  assert.deepEqual(["1001", "2005", "1002", null].map((agent) => rights.includes(agent)), [true, true, false, false]);
  identity.agents = null;
  assert.deepEqual([rights.includes("1002"), rights.includes(null)], [true, false]);
});
