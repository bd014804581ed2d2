import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../src/pages/shared/api.js";
import { pauseParameters } from "../../src/pages/shared/reason-fields.js";
import { findReason, limitText, maxMinutes, Reasons } from "../../src/pages/shared/reasons.js";

/** @import { PauseReason, PauseReasons } from "../../src/pages/bridge" */

/** @type {PauseReason} */
const LUNCH = { reason: "Lunch", limit_seconds: 2700, ends: true };
/** @type {PauseReason} */
const BREAK = { reason: "Short break", limit_seconds: 900, ends: false };
/** @type {PauseReason} */
const BACK_OFFICE = { reason: "Back office", limit_seconds: null, ends: false };
/** @type {PauseReasons} */
const CATALOG = { reason_required: true, other_reasons: false, reasons: [LUNCH, BREAK, BACK_OFFICE] };
/** @type {PauseReasons} */
const ANY_REASON = { reason_required: false, other_reasons: true, reasons: [] };

/**
 * Returns an API that answers each read with the next response. Fails if it is an error.
 *
 * @param {...(PauseReasons | ApiError)} responses
 */
function apiWith(...responses) {
  /** @type {unknown[]} */
  const requests = [];
  const read = async (/** @type {unknown} */ parameters) => {
    requests.push(parameters);
    const response = responses.shift();
    if (response instanceof ApiError) throw response;
    return response;
  };
  return { requests, api: /** @type {any} */ ({ read }) };
}

test("a reason's limit is shown in words", () => {
  assert.deepEqual([LUNCH, BREAK, BACK_OFFICE].map(limitText), ["45 min, ends automatically", "up to 15 min", ""]);
});

test("a typed reason is found among the listed ones without regard to case", () => {
  assert.equal(findReason(CATALOG, "lunCH"), LUNCH);
  assert.equal(findReason(CATALOG, "Dinner"), undefined);
});

test("a pause that ends automatically can only be shortened", () => {
  assert.deepEqual([LUNCH, BREAK, BACK_OFFICE, undefined].map(maxMinutes), [45, 1440, 1440, 1440]);
  assert.equal(maxMinutes({ ...LUNCH, limit_seconds: 59 }), 0);
});

test("a pause is sent with the typed or the selected reason, and with its duration in seconds", () => {
  const parameters = (/** @type {Record<string, string>} */ fields) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    return pauseParameters(form);
  };
  assert.deepEqual(parameters({ reason: "Lunch", other: " ", minutes: "" }), { reason: "Lunch" });
  assert.deepEqual(parameters({ other: " Dinner ", minutes: "20" }), { reason: "Dinner", duration: "1200" });
  assert.deepEqual(parameters({ reason: "", other: "" }), {});
});

test("the reasons are read once, and again when refreshed", async () => {
  const changed = { ...CATALOG, reasons: [] };
  const { api, requests } = apiWith(CATALOG, changed);
  const reasons = new Reasons(api);
  assert.equal(await reasons.get(), CATALOG);
  assert.equal(await reasons.get(), CATALOG);
  assert.deepEqual(requests, [{ action: "showreasons" }]);
  await reasons.refresh();
  assert.equal(await reasons.get(), changed);
});

test("any reason can be entered if the user may not read the reasons", async () => {
  const forbidden = new ApiError("forbidden", "No.");
  assert.deepEqual(await new Reasons(apiWith(forbidden).api).get(), ANY_REASON);
});

test("a failed read keeps the known reasons, and is repeated if there are none", async () => {
  const failure = new ApiError("unreachable", "No.");
  const { api } = apiWith(failure, CATALOG, failure);
  const reasons = new Reasons(api);
  assert.deepEqual(await reasons.get(), ANY_REASON);
  assert.equal(await reasons.get(), CATALOG);
  await reasons.refresh();
  assert.equal(await reasons.get(), CATALOG);
});
