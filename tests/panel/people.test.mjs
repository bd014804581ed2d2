import assert from "node:assert/strict";
import { test } from "node:test";
import { createPerson, overText, personSearchText, stateStart } from "../../src/pages/board/person.js";
import { keepOrder, sortPeople } from "../../src/pages/board/person-order.js";
import { People } from "../../src/pages/shared/people.js";
import { isFound, searchKey, searchTerms } from "../../src/pages/shared/search.js";
import { member } from "./fixtures.mjs";

/** @import { Member } from "../../src/pages/bridge" */

const FREE = { state: "available", state_since: "2026-11-24T11:00:00Z" };
const IN_CALL = { state: "in_call", state_since: "2026-11-24T11:58:00Z" };
const LUNCH = {
  paused: true, paused_reason: "Lunch", paused_at: "2026-11-24T11:00:00Z",
  pause_limit_at: "2026-11-24T11:30:00Z", pause_overdue: true,
};
const BREAK = { paused: true, paused_reason: "Break", paused_at: "2026-11-24T10:50:00Z" };
const PAUSED = { state: "paused" };

/**
 * Returns agent 1 with these memberships.
 *
 * @param {Record<string, Partial<Member>>} queues
 */
function memberships(queues) {
  return new Map(Object.entries(queues).map(([queue, fields]) => [queue, member("1", fields)]));
}

/** @param {Record<string, Partial<Member>>} queues */
function person(queues) {
  return createPerson(memberships(queues));
}

/** @param {ReturnType<typeof person>} person */
function describe({ facts }) {
  return facts.map(({ text, reason, queues }) => [text, reason, queues.join(" ")]);
}

test("a person has the state over all queues, and each state says where it holds", () => {
  const dana = person({ 6001: { ...PAUSED, ...LUNCH }, 6002: { ...PAUSED, ...LUNCH }, 6003: FREE });
  assert.equal(dana.state, "available");
  assert.deepEqual(describe(dana), [["Available", "", "6003"], ["Paused", "Lunch", "6001 6002"]]);
  assert.deepEqual([dana.isPaused, [...dana.totals].sort()], [true, ["available", "overdue", "paused"]]);
  assert.deepEqual(describe(person({ 6001: FREE, 6002: { state: "wrap_up" } })), [["Available", "", "6001"], ["Wrap-up", "", "6002"]]);
  assert.equal(person({ 6001: { ...PAUSED, ...LUNCH } }).state, "paused");
});

test("a person in a call or unavailable also shows the pause, with its reason and its beginning", () => {
  for (const [state, text] of [["in_call", "In call"], ["unavailable", "Unavailable"]]) {
    const dana = person({ 6001: { ...LUNCH, state }, 6002: { ...LUNCH, state } });
    assert.deepEqual(describe(dana), [[text, "", "6001 6002"], ["Paused", "Lunch", "6001 6002"]]);
    assert.deepEqual(dana.facts.map(({ since }) => since), [null, Date.parse(LUNCH.paused_at)]);
    assert.deepEqual([...dana.totals].sort(), [state, "overdue", "paused"].sort());
  }
});

test("pauses with different reasons are separate, the one over its limit first", () => {
  const dana = person({ 6001: { ...PAUSED, ...BREAK }, 6002: { ...PAUSED, ...LUNCH } });
  assert.deepEqual(describe(dana), [["Paused", "Lunch", "6002"], ["Paused", "Break", "6001"]]);
  assert.equal(stateStart(dana, "paused"), Date.parse(BREAK.paused_at));
  const missed = person({ 6001: { ...PAUSED, paused: true, paused_reason: "Auto-Pause", auto_paused: true } });
  assert.deepEqual(describe(missed), [["Paused for a missed call", "", "6001"]]);
});

test("a state of several queues began with the first one", () => {
  const later = { ...FREE, state_since: "2026-11-24T11:30:00Z" };
  assert.equal(stateStart(person({ 6001: later, 6002: FREE }), null), Date.parse(FREE.state_since));
  assert.equal(stateStart(person({ 6001: { state: "available" }, 6002: FREE }), null), Date.parse(FREE.state_since));
  assert.equal(stateStart(person({ 6001: { state: "available" } }), null), null);
});

test("an overdue pause names its limit", () => {
  assert.equal(overText(member("1", LUNCH)), "over 30 min");
  assert.equal(overText(member("1", { ...BREAK, pause_overdue: true })), "over the limit");
});

test("the longest in a state is first, and without a filter the paused are", () => {
  const people = [
    person({ 6001: IN_CALL }),
    person({ 6001: { ...PAUSED, ...LUNCH } }),
    person({ 6001: FREE }),
    person({ 6001: { ...PAUSED, ...BREAK } }),
    person({ 6001: { ...IN_CALL, ...BREAK, paused_at: "2026-11-24T10:00:00Z" } }),
  ];
  const order = (/** @type {string | null} */ total) =>
    sortPeople(people.filter(({ totals }) => total === null || totals.has(total)), total).map((one) => people.indexOf(one));
  assert.deepEqual(order("paused"), [4, 3, 1]);
  assert.deepEqual(order(null), [3, 1, 2, 0, 4]);
});

test("nothing moves while the list is in use", () => {
  assert.deepEqual(keepOrder(["a", "b", "c"], ["c", "a"]), ["a", null, "c"]);
  assert.deepEqual(keepOrder(["a", null, "c"], ["d", "c", "a"]), ["a", null, "c", "d"]);
  assert.deepEqual(keepOrder([], ["b", "a"]), ["b", "a"]);
});

test("47 of 300 people are paused, those in a call and those paused in one queue only included", () => {
  const people = new People();
  for (let index = 0; index < 300; index += 1) {
    const fields = index < 30 ? { ...PAUSED, ...LUNCH } : index < 40 ? { ...IN_CALL, ...BREAK } : FREE;
    people.set("6001", member(String(index), fields));
    people.set("6002", member(String(index), index < 47 ? { ...(index < 40 ? fields : PAUSED), ...BREAK } : FREE));
  }
  assert.deepEqual(["paused", "overdue", "in_call", "available"].map((total) => people.count(total)), [47, 30, 10, 260]);
  people.set("6002", member("45", FREE));
  people.delete("6001", "PJSIP/0");
  people.delete("6002", "PJSIP/0");
  assert.deepEqual([people.count("paused"), people.count("overdue"), people.size], [45, 29, 299]);
});

test("a search ignores case and accents", () => {
  assert.equal(searchKey("Lucía FERNÁNDEZ"), "lucia fernandez");
  assert.equal(searchKey("דָּנָה"), "דנה");
});

test("a search finds a person by name, number, state, reason and queue, and all its terms", () => {
  const alias = "Lucía Fernández";
  const text = personSearchText(memberships({ 6001: { ...PAUSED, ...LUNCH, alias }, 6002: { ...FREE, alias } }), (queue) => `Vente ${queue}`);
  const find = (/** @type {string} */ search) => isFound(searchTerms(search), text);
  for (const search of ["", "lucia", "FERNANDEZ", "1", "paused", "lunch", "free", "available", "over limit", "6002", "vente", "lucia lunch"]) {
    assert.ok(find(search), search);
  }
  for (const search of ["unavailable", "break", "lucia break", "ause", "in call"]) assert.ok(!find(search), search);
  const away = personSearchText(memberships({ 6001: { state: "unavailable" } }), () => "");
  assert.ok(!isFound(["available"], away) && isFound(["unavailable"], away));
});
