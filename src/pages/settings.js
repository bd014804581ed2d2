// The board's settings, stored in the browser. The settings contain no credentials.

import { choice, field, formText, openDialog, textProblem } from "./dialog.js";
import { create } from "./dom.js";

/** @import { Preferences } from "./bridge" */

const STORAGE_KEY = "ami-bridge.panel";

const THEMES = ["auto", "light", "dark"];

/** @type {Preferences} */
const DEFAULTS = {
  reasons: ["Lunch", "Break", "Training", "Meeting"],
  late: 60,
  theme: "auto",
  wall: false,
};

export function loadPreferences() {
  const preferences = { ...DEFAULTS };
  try {
    Object.assign(preferences, validPreferences(JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "{}")));
  } catch {
    // The browser does not allow storage, or the stored text is not JSON. Use the defaults.
  }
  return preferences;
}

/** @param {Preferences} preferences */
export function savePreferences(preferences) {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(preferences));
  } catch {
    // The browser does not allow storage. The preferences apply until the page is closed.
  }
}

/**
 * Returns the stored preferences that are valid.
 *
 * @param {Record<string, unknown>} stored
 */
export function validPreferences({ reasons, late, theme, wall }) {
  /** @type {Partial<Preferences>} */
  const valid = {};
  if (Array.isArray(reasons)) {
    valid.reasons = reasons.filter((reason) => typeof reason === "string" && textProblem(reason) === "");
  }
  if (Number(late) >= 1 && Number(late) <= 36_000) valid.late = Number(late);
  if (typeof theme === "string" && THEMES.includes(theme)) valid.theme = theme;
  if (typeof wall === "boolean") valid.wall = wall;
  return valid;
}

/**
 * Parses one reason per line. Keeps the order, and drops empty lines and duplicates.
 *
 * @param {string} text
 */
export function parseReasons(text) {
  const lines = text.split("\n").map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== ""))];
}

/** @param {Preferences} preferences */
export function applyPreferences({ theme, wall }) {
  const { dataset } = document.documentElement;
  dataset.theme = theme;
  if (wall) dataset.wall = "";
  else delete dataset.wall;
}

/**
 * Opens the settings dialog.
 *
 * @param {Preferences} preferences modified when the user saves
 * @param {() => void} onChange
 */
export function openSettings(preferences, onChange) {
  const reasons = create("textarea", {
    name: "reasons", rows: 6, dir: "auto", spellcheck: false, value: preferences.reasons.join("\n"), data: { first: "" },
  });
  reasons.addEventListener("input", () => {
    const bad = parseReasons(reasons.value).find((reason) => textProblem(reason) !== "");
    reasons.setCustomValidity(bad === undefined ? "" : `${bad}: ${textProblem(bad)}`);
  });
  const late = create("input", {
    name: "late", type: "number", min: "1", max: "36000", required: true, value: String(preferences.late),
  });
  openDialog({
    title: ["Settings for this browser"],
    submit: "Save",
    body: [
      field("Pause reasons", reasons, "one per line"),
      field("Highlight a caller after", late, "seconds"),
      choice("Colors", "theme", [["auto", "System"], ["light", "Light"], ["dark", "Dark"]], {
        chips: true,
        selected: preferences.theme,
      }),
    ],
    send: async (form) => {
      preferences.reasons = parseReasons(formText(form, "reasons"));
      preferences.late = Number(formText(form, "late"));
      preferences.theme = formText(form, "theme");
      savePreferences(preferences);
      onChange();
    },
  });
}
