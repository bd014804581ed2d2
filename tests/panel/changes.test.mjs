import assert from "node:assert/strict";
import { test } from "node:test";
import { isField, keyName } from "../../src/pages/board/keyboard.js";
import { membershipsOf, signature } from "../../src/pages/board/memberships.js";
import { agentsOf, queuesOf, readOutcome } from "../../src/pages/shared/outcome.js";
import { failedText, fixedText, existingText, resultText, undoHint } from "../../src/pages/board/texts.js";
import { inverseRequests, unchangedSince } from "../../src/pages/board/undo.js";
import { Board } from "../../src/pages/shared/state.js";
import { member } from "./fixtures.mjs";

/** @import { Member, PauseReasons } from "../../src/pages/bridge" */

const NOW = Date.parse("2026-11-24T12:00:00Z");

/** @type {PauseReasons} */
const CATALOG = {
  reason_required: false, other_reasons: false,
  reasons: [{ reason: "Lunch", limit_seconds: 2700, ends: true }, { reason: "Training", limit_seconds: null, ends: false }],
};

const LUNCH = { paused: true, paused_reason: "Lunch", pause_ends_at: "2026-11-24T12:20:00Z" };

/** @param {string} agent */
const nameOf = (agent) => `<${agent}>`;

/**
 * Returns the inverse of a change of memberships, each given as queue and member.
 *
 * @param {Record<string, string>} parameters
 * @param {[string, Member][]} memberships as they were before
 * @param {PauseReasons} [catalog]
 */
function inverse(parameters, memberships, catalog = CATALOG) {
  const before = memberships.map(([queue, data]) => ({ queue, member: data }));
  const changed = memberships.map(([queue, { agent }]) => ({ agent: String(agent), queue }));
  return inverseRequests({ parameters, changed, before }, catalog, NOW);
}

test("the results of one agent and of several are read as the same list", () => {
  const one = readOutcome({ agent: "1001", queues: [{ queue: "6001", result: "ok" }, { queue: "6002", result: "ok", kept: true }] });
  assert.deepEqual(one.changed, [{ agent: "1001", queue: "6001" }]);
  assert.deepEqual(one.existing, [{ agent: "1001", queue: "6002" }]);
  const failed = { agent: "1002", status: /** @type {const} */ ("error"), code: "not_a_member", message: "No member.", queues: [] };
  const several = readOutcome({
    agents: [{ agent: "1001", status: "success", queues: [{ queue: "6001", result: "ok" }, { queue: "6002", result: "ok" }] }, failed],
  });
  assert.deepEqual([agentsOf(several.changed), queuesOf(several.changed)], [["1001"], ["6001", "6002"]]);
  assert.deepEqual(several.failures, [{ agent: "1002", message: "No member." }]);
});

test("the same failure in several queues is one message", () => {
  const failed = { result: /** @type {const} */ ("error"), code: "pbx_unavailable", message: "The PBX is not available now." };
  const { failures } = readOutcome({ agent: "1001", queues: [{ queue: "6001", ...failed }, { queue: "6002", ...failed }] });
  const message = "The PBX is not available now. Try again when the phone system is connected.";
  assert.deepEqual(failures, [{ agent: "1001", message }]);
});

test("a static membership is no failure, and an unknown outcome comes with advice", () => {
  const outcome = readOutcome({ agent: "1001", queues: [
    { queue: "6001", result: "error", code: "static_member", message: "Static." },
    { queue: "6002", result: "error", code: "outcome_unknown", message: "No answer." },
    { queue: "6003", result: "error", code: "outcome_unknown", message: "No answer." },
  ] });
  assert.deepEqual(outcome.fixed, [{ agent: "1001", queue: "6001" }]);
  assert.deepEqual(outcome.failures, [
    { agent: "1001", message: "No answer. It may or may not have happened. Check the state before you try again." },
  ]);
  assert.match(fixedText(outcome, nameOf).join(""), /^ <1001> stays in queue 6001: /);
});

test("results are described in words, and several failures are named", () => {
  const rows = [{ agent: "1001", queue: "6001" }, { agent: "1002", queue: "6001" }];
  const outcome = { changed: rows, existing: rows, fixed: [], failures: [{ agent: "1003", message: "No." }] };
  assert.equal(resultText({ action: "unpause" }, outcome, nameOf).join(""), "2 people take calls again in queue 6001.");
  assert.equal(existingText(outcome, nameOf).join(""), " The pauses of <1001>, <1002> were left as they are.");
  assert.equal(failedText(outcome, nameOf).join(""), " <1003>: No.");
  const same = { ...outcome, failures: [...outcome.failures, { agent: "1004", message: "No." }, { agent: "1005", message: "Never." }] };
  assert.equal(failedText(same, nameOf).join(""), " <1003>, <1004>: No. <1005>: Never.");
  const one = { ...outcome, changed: [rows[0]], existing: [], failures: [{ agent: "1001", message: "No." }] };
  assert.equal(resultText({ action: "remove" }, one, nameOf).join(""), "<1001> was removed from queue 6001.");
  assert.equal(failedText(one, nameOf).join(""), " No.");
  assert.equal(resultText({ action: "pause" }, { ...one, changed: [] }, nameOf).join(""), "");
});

test("undoing a pause resumes, and pauses again where another pause was replaced", () => {
  const requests = inverse({ action: "pause", reason: "Training" }, [
    ["6001", member("1001")], ["6002", member("1001")], ["6001", member("1002")], ["6002", member("1002")],
    ["6003", member("1002", LUNCH)],
  ]);
  assert.deepEqual(requests, [
    { action: "unpause", agent: "1001,1002", queue: "6001,6002" },
    { action: "pause", keep_existing: "false", reason: "Lunch", duration: "1200", agent: "1002", queue: "6003" },
  ]);
});

test("undoing a resume pauses again with the reason and the rest of the time", () => {
  const requests = inverse({ action: "unpause" }, [["6001", member("1001", LUNCH)], ["6002", member("1001")]]);
  const pause = { action: "pause", keep_existing: "true", reason: "Lunch", duration: "1200", agent: "1001", queue: "6001" };
  assert.deepEqual(requests, [pause]);
  assert.equal(undoHint(requests), "This is a new pause: its time begins now.");
});

test("undoing a removal adds each agent with name, penalty and pause", () => {
  const named = member("1001", { alias: "Dana", penalty: 3, ...LUNCH });
  const requests = inverse({ action: "remove" }, [
    ["6001", named], ["6002", named], ["6001", member("1002", { alias: "1002" })], ["6001", member("1003", { alias: "1003" })],
  ]);
  assert.deepEqual(requests, [
    { action: "add", alias: "Dana", penalty: "3", paused: "true", reason: "Lunch", duration: "1200", agent: "1001", queue: "6001,6002" },
    { action: "add", penalty: "0", agent: "1002,1003", queue: "6001" },
  ]);
  assert.match(undoHint(requests), /counts of calls begin at zero/);
});

test("nothing is offered that the bridge would refuse, or that has not changed", () => {
  const other = member("1001", { paused: true, paused_reason: "Auto-Pause" });
  const over = member("1001", { ...LUNCH, pause_ends_at: "2026-11-24T12:00:00Z" });
  const unknown = member("1001", { paused: true });
  for (const data of [other, over]) assert.deepEqual(inverse({ action: "unpause" }, [["6001", data]]), []);
  assert.deepEqual(inverse({ action: "remove" }, [["6001", other]]), []);
  const named = member("1001", { alias: "Levi, Dana" });
  assert.deepEqual(inverse({ action: "remove" }, [["6001", named]]), [], "a name that only AMI can set");
  assert.deepEqual(inverse({ action: "unpause" }, [["6001", unknown]], { ...CATALOG, reason_required: true }), []);
  assert.equal(inverse({ action: "unpause" }, [["6001", unknown]]).length, 1);
  assert.deepEqual(inverse({ action: "unpause" }, [["6001", member("1001")]]), []);
  assert.equal(inverse({ action: "unpause" }, [["6001", other]], { ...CATALOG, other_reasons: true }).length, 1);
});

test("an undone pause does not end a pause that somebody else has made since", () => {
  const changed = [{ agent: "1001", queue: "6001" }, { agent: "1001", queue: "6002" }, { agent: "1001", queue: "6003" }];
  const done = { parameters: { action: "pause", reason: "lunch" }, changed, before: [] };
  const current = [
    { queue: "6001", member: member("1001", LUNCH) },
    { queue: "6002", member: member("1001", { paused: true, paused_reason: "Training" }) },
    { queue: "6003", member: member("1001") },
  ];
  assert.deepEqual(unchangedSince(done, current), [changed[0]]);
});

test("more queues than the bridge accepts are undone in several requests", () => {
  /** @type {[string, Member][]} */
  const memberships = Array.from({ length: 101 }, (_, index) => [String(6000 + index), member("1001")]);
  const requests = inverse({ action: "pause" }, memberships);
  assert.deepEqual(requests.map(({ queue }) => queue.split(",").length), [100, 1]);
});

test("an agent's memberships are found on the board, and their signature follows their pauses", () => {
  const board = new Board();
  const queue = (/** @type {string} */ number, /** @type {Member[]} */ members) =>
    ({ queue: number, name: number, members, members_hidden: 0, callers: [] });
  board.apply({ type: "snapshot", data: { queues: [queue("6001", [member("1001"), member("1002")]), queue("6002", [member("1001")])] } }, NOW);
  const before = membershipsOf(board.queues.values(), ["1001"]);
  assert.deepEqual(before.map(({ queue: id }) => id), ["6001", "6002"]);
  board.apply({ type: "member", data: { queue: "6002", change: "updated", member: member("1001", { state: "in_call" }) } }, NOW);
  assert.equal(signature(membershipsOf(board.queues.values(), ["1001"])), signature(before));
  board.apply({ type: "member", data: { queue: "6002", change: "paused", member: member("1001", LUNCH) } }, NOW);
  assert.notEqual(signature(membershipsOf(board.queues.values(), ["1001"])), signature(before));
});

test("letter keys are known by their place where the layout has other letters", () => {
  assert.equal(keyName({ key: "פ", code: "KeyP" }), "p");
  assert.equal(keyName({ key: "p", code: "KeyR" }), "p");
  assert.equal(keyName({ key: "P", code: "KeyP" }), "p", "Caps Lock");
  assert.equal(keyName({ key: "?", code: "Slash" }), "?");
  assert.equal(keyName({ key: "ArrowDown", code: "ArrowDown" }), "ArrowDown");
});

test("fields take letters, and checkboxes do not", () => {
  assert.ok(isField({ localName: "input", type: "search" }));
  assert.ok(isField({ localName: "select" }));
  assert.ok(!isField({ localName: "input", type: "checkbox" }));
  assert.ok(!isField({ localName: "input", type: "radio" }));
  assert.ok(!isField({ localName: "button" }));
});
