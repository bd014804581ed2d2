// The pages' settings, stored in the browser. The settings contain no credentials.

import { choice, field, formText, openDialog } from "./dialog.js";
import { create } from "./dom.js";

/** @import { Preferences } from "../bridge" */

const STORAGE_KEY = "ami-bridge.panel";

const THEMES = ["auto", "light", "dark"];
const VIEWS = ["people", "queues", "today"];

/** @type {Preferences} */
const DEFAULTS = {
  late: 60,
  theme: "auto",
  view: "queues",
  sound: true,
  vibration: true,
  wallSound: false,
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
export function validPreferences({ late, theme, view, sound, vibration, wallSound }) {
  /** @type {Partial<Preferences>} */
  const valid = {};
  if (Number(late) >= 1 && Number(late) <= 36_000) valid.late = Number(late);
  if (typeof theme === "string" && THEMES.includes(theme)) valid.theme = theme;
  if (typeof view === "string" && VIEWS.includes(view)) valid.view = view;
  if (typeof sound === "boolean") valid.sound = sound;
  if (typeof vibration === "boolean") valid.vibration = vibration;
  if (typeof wallSound === "boolean") valid.wallSound = wallSound;
  return valid;
}

/** @param {Preferences} preferences */
export function applyPreferences({ theme }) {
  document.documentElement.dataset.theme = theme;
}

/**
 * Opens the settings dialog.
 *
 * @param {Preferences} preferences modified when the user saves
 * @param {() => void} onChange
 */
export function openSettings(preferences, onChange) {
  const late = create("input", {
    name: "late", type: "number", min: "1", max: "36000", required: true, value: String(preferences.late), data: { first: "" },
  });
  openDialog({
    title: ["Settings for this browser"],
    submit: "Save",
    body: [
      field("Highlight a caller after", late, "seconds"),
      choice("Colors", "theme", [["auto", "System"], ["light", "Light"], ["dark", "Dark"]], {
        chips: true,
        selected: preferences.theme,
      }),
    ],
    send: async (form) => {
      preferences.late = Number(formText(form, "late"));
      preferences.theme = formText(form, "theme");
      savePreferences(preferences);
      onChange();
    },
  });
}
