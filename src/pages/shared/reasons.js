// The organization's pause reasons, and the fields with which the user chooses a reason and a
// duration.

import { ApiError } from "./api.js";
import { choice, field, formText, textInput, textProblem } from "./dialog.js";
import { create, isolate } from "./dom.js";
import { formatLimit } from "./time.js";

/**
 * @import { PauseReason, PauseReasons } from "../bridge"
 * @import { Api } from "./api.js"
 * @import { Content } from "./dialog.js"
 */

// The bridge accepts durations up to 24 hours.
const MAX_MINUTES = 1440;

/**
 * The user enters any reason. Used if the user may not read the organization's reasons.
 *
 * @type {PauseReasons}
 */
const ANY_REASON = { reason_required: false, other_reasons: true, reasons: [] };

/** The organization's reasons, as last read from the bridge. */
export class Reasons {
  #api;
  /** @type {PauseReasons | null} */
  #catalog = null;
  /** @type {Promise<void> | null} */
  #reading = null;

  /** @param {Api} api */
  constructor(api) {
    this.#api = api;
  }

  /**
   * Reads the reasons. They change only with the bridge's configuration, and then the bridge also
   * ends the event stream.
   */
  refresh() {
    this.#reading = this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /** Returns the reasons. Waits for them only if none have been read yet. */
  async get() {
    if (this.#catalog === null) await (this.#reading ?? this.refresh());
    return this.#catalog ?? ANY_REASON;
  }

  /** Returns the reasons, after a read that is under way. */
  async getLatest() {
    await this.#reading;
    return this.get();
  }

  async #read() {
    try {
      this.#catalog = await this.#api.read({ action: "showreasons" });
    } catch (error) {
      const isForbidden = error instanceof ApiError && error.code === "forbidden";
      // After any other failure, the reasons that are already known stay in use.
      if (isForbidden) this.#catalog = ANY_REASON;
    }
  }
}

/**
 * Returns the limit of a reason as shown to the user, or an empty text if it has no limit.
 *
 * @param {PauseReason} reason
 */
export function limitText({ limit_seconds: limit, ends }) {
  if (limit === null) return "";
  return ends ? `${formatLimit(limit)}, ends automatically` : `up to ${formatLimit(limit)}`;
}

/**
 * Returns the listed reason with this name. Ignores case, as the bridge does.
 *
 * @param {PauseReasons} catalog
 * @param {string} name
 */
export function findReason({ reasons }, name) {
  const key = name.toUpperCase();
  return reasons.find(({ reason }) => reason.toUpperCase() === key);
}

/**
 * Returns the longest duration that the bridge accepts for a pause with this reason, in whole
 * minutes. Returns 0 if the bridge ends such a pause in less than a minute.
 *
 * @param {PauseReason | undefined} reason
 */
export function maxMinutes(reason) {
  if (!reason?.ends || reason.limit_seconds === null) return MAX_MINUTES;
  return Math.min(MAX_MINUTES, Math.floor(reason.limit_seconds / 60));
}

/**
 * Returns the pause's parameters from the fields of `pauseFields`.
 *
 * @param {FormData} form
 * @returns {Record<string, string>}
 */
export function pauseParameters(form) {
  const reason = formText(form, "other") || formText(form, "reason");
  const minutes = formText(form, "minutes");
  return {
    ...(reason === "" ? {} : { reason }),
    ...(minutes === "" ? {} : { duration: String(Number(minutes) * 60) }),
  };
}

/**
 * Creates the fields with which the user chooses a pause's reason and duration.
 *
 * @param {PauseReasons} catalog
 * @param {object} [options]
 * @param {boolean} [options.startsWithNone] whether "None" is selected if it is offered. If not,
 *   the user has to select a reason: users who press Enter too early would report a wrong one
 */
export function pauseFields(catalog, { startsWithNone = false } = {}) {
  const chips = reasonChips(catalog, startsWithNone);
  const other = chips && !catalog.other_reasons ? null : otherReason(catalog, chips);
  const duration = durationInput();
  const fields = create("div", { className: "fields" });
  const update = () => {
    const checked = chips?.querySelector("input:checked");
    const selected = checked instanceof HTMLInputElement ? checked.value : "";
    limitDuration(duration, findReason(catalog, other?.value.trim() || selected));
  };
  if (chips) fields.append(chips);
  if (other) fields.append(field(chips ? "Another reason" : "Reason", other));
  fields.append(field("Ends after", duration, "minutes"));
  // A selected radio button clears the text only in its "change" event.
  for (const type of ["input", "change"]) fields.addEventListener(type, update);
  update();
  return fields;
}

/**
 * Returns the listed reasons as radio buttons, or null if there are none.
 *
 * @param {PauseReasons} catalog
 * @param {boolean} startsWithNone
 */
function reasonChips({ reasons, reason_required: isRequired }, startsWithNone) {
  if (reasons.length === 0) return null;
  /** @type {[string, Content][]} */
  const options = reasons.map((reason) => {
    const limit = limitText(reason);
    const parts = limit === "" ? [] : [create("small", {}, ` – ${limit}`)];
    return [reason.reason, create("span", {}, isolate(reason.reason), ...parts)];
  });
  if (!isRequired) options.push(["", "None"]);
  const selected = startsWithNone && !isRequired ? "" : null;
  return choice("Reason", "reason", options, { chips: true, selected });
}

/**
 * Returns the input for a reason that is not listed. A typed reason replaces the selected one,
 * and vice versa.
 *
 * @param {PauseReasons} catalog
 * @param {HTMLElement | null} chips
 */
function otherReason({ reason_required: isRequired }, chips) {
  const input = textInput({ name: "other", maxLength: 79, required: isRequired && chips === null });
  if (chips === null) {
    input.dataset.first = "";
    return input;
  }
  input.addEventListener("input", () => {
    for (const chip of chips.querySelectorAll("input")) {
      chip.checked = false;
      chip.required = input.value.trim() === "";
    }
    input.setCustomValidity(textProblem(input.value));
  });
  chips.addEventListener("change", () => {
    input.value = "";
    input.setCustomValidity("");
  });
  return input;
}

function durationInput() {
  return create("input", { name: "minutes", type: "number", min: "1", step: "1", inputMode: "numeric", autocomplete: "off" });
}

/**
 * Limits the duration to the one that the bridge accepts for the reason, and shows how long the
 * pause is without a duration.
 *
 * @param {HTMLInputElement} input
 * @param {PauseReason | undefined} reason
 */
function limitDuration(input, reason) {
  const max = maxMinutes(reason);
  input.max = String(max);
  input.disabled = max === 0;
  const hasEnd = reason?.ends && reason.limit_seconds !== null;
  input.placeholder = hasEnd ? formatLimit(reason.limit_seconds ?? 0) : "No end";
}
