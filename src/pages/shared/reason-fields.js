// The fields and the buttons with which the user chooses a pause's reason and duration.

import { choice, field, formText, textInput, textProblem } from "./dialog.js";
import { create, isolate } from "./dom.js";
import { findReason, limitText, maxMinutes } from "./reasons.js";
import { formatLimit } from "./time.js";

/**
 * @import { PauseReason, PauseReasons } from "../bridge"
 * @import { Content } from "./dialog.js"
 */

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
 * Creates a button for a listed reason, with its limit.
 *
 * @param {PauseReason} reason
 * @param {"button" | "submit"} type a "submit" button adds the reason to its form
 */
export function reasonButton(reason, type) {
  const limit = limitText(type === "submit" ? reason : { ...reason, ends: false });
  const name = type === "submit" ? "reason" : "";
  const parts = limit === "" ? [] : [" ", create("small", {}, limit)];
  const { reason: value } = reason;
  return create("button", { type, name, value, data: { reason: value } }, isolate(value), ...parts);
}

/**
 * Creates the buttons that pause with a listed reason, and the fields for another reason and for a
 * duration. No reason is selected: users who press Enter too early would report a wrong one.
 *
 * @param {PauseReasons} catalog
 */
export function pauseButtons(catalog) {
  const { reasons, reason_required: isRequired, other_reasons: allowsOther } = catalog;
  const hasOther = allowsOther || reasons.length === 0;
  const other = textInput({ name: "other", maxLength: 79 });
  const duration = durationInput();
  const buttons = reasons.map((reason) => reasonButton(reason, "submit"));
  if (reasons.length > 0 && !isRequired) {
    buttons.push(create("button", { type: "submit", name: "reason", value: "" }, "No reason"));
  }
  for (const button of buttons) {
    button.addEventListener("click", () => {
      other.value = "";
      other.required = false;
      other.setCustomValidity("");
      limitDuration(duration, findReason(catalog, button.value));
    });
  }
  const submit = create("button", { type: "submit", className: "primary" }, "Pause");
  submit.addEventListener("click", () => {
    other.required = isRequired || reasons.length > 0;
    limitDuration(duration, findReason(catalog, other.value.trim()));
  });
  other.addEventListener("input", () => limitDuration(duration, findReason(catalog, other.value.trim())));
  if (reasons.length === 0) other.dataset.first = "";
  const list = create("div", { className: "reasons", role: "group", ariaLabel: "Reason" }, ...buttons);
  return create(
    "div", { className: "fields" },
    ...(buttons.length > 0 ? [list] : []),
    create(
      "div", { className: "other" },
      ...(hasOther ? [field(reasons.length > 0 ? "Another reason" : "Reason", other)] : []),
      field("Ends after", duration, "minutes"),
      ...(hasOther ? [submit] : []),
    ),
  );
}

/**
 * Creates the fields with which the user chooses a pause's reason and duration.
 *
 * @param {PauseReasons} catalog
 */
export function pauseFields(catalog) {
  const chips = reasonChips(catalog);
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
 * Returns the listed reasons as radio buttons, or null if there are none. If the organization
 * requires a reason, the user has to select one.
 *
 * @param {PauseReasons} catalog
 */
function reasonChips({ reasons, reason_required: isRequired }) {
  if (reasons.length === 0) return null;
  /** @type {[string, Content][]} */
  const options = reasons.map((reason) => {
    const limit = limitText(reason);
    const parts = limit === "" ? [] : [create("small", {}, ` – ${limit}`)];
    return [reason.reason, create("span", {}, isolate(reason.reason), ...parts)];
  });
  if (!isRequired) options.push(["", "None"]);
  return choice("Reason", "reason", options, { chips: true, selected: isRequired ? null : "" });
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
