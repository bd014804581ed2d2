// What this browser remembers of how the board is liked. No credentials.

import { ask, choice, field, unfit } from "./dialog.js";
import { make } from "./dom.js";

const KEY = "ami-bridge.panel";

const DEFAULTS = {
  // The usual reasons of a pause.
  reasons: ["Lunch", "Break", "Training", "Meeting"],
  // A caller who waits for so many seconds waits for too long.
  late: 60,
  theme: "auto",
  wall: false,
};

export function load() {
  const preferences = { ...DEFAULTS };
  try {
    Object.assign(preferences, clean(JSON.parse(localStorage.getItem(KEY) ?? "{}")));
  } catch {
    // Not readable, or not allowed: the defaults do.
  }
  return preferences;
}

export function save(preferences) {
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // Then only for as long as the page is open.
  }
}

// Only what has the shape that the page expects.
export function clean(stored) {
  const good = {};
  if (Array.isArray(stored.reasons)) {
    good.reasons = stored.reasons.filter((reason) => typeof reason === "string" && unfit(reason) === "");
  }
  if (stored.late >= 1 && stored.late <= 36_000) good.late = Number(stored.late);
  if (["auto", "light", "dark"].includes(stored.theme)) good.theme = stored.theme;
  if (typeof stored.wall === "boolean") good.wall = stored.wall;
  return good;
}

// One reason a line, in the order given, each once.
export function reasonsOf(text) {
  const lines = text.split("\n").map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== ""))];
}

export function apply(preferences) {
  const root = document.documentElement.dataset;
  root.theme = preferences.theme;
  if (preferences.wall) root.wall = "";
  else delete root.wall;
}

export function openSettings(preferences, changed) {
  const reasons = make("textarea", {
    name: "reasons", rows: 6, dir: "auto", spellcheck: false, value: preferences.reasons.join("\n"), data: { first: "" },
  });
  reasons.addEventListener("input", () => {
    const bad = reasonsOf(reasons.value).find((reason) => unfit(reason) !== "");
    reasons.setCustomValidity(bad === undefined ? "" : `${bad}: ${unfit(bad)}`);
  });
  const late = make("input", { name: "late", type: "number", min: 1, max: 36_000, required: true, value: preferences.late });
  const themes = [["auto", "As the system"], ["light", "Light"], ["dark", "Dark"]];
  ask({
    title: "Settings of this browser",
    submit: "Save",
    body: [
      field("Usual reasons of a pause", reasons, "one a line"),
      field("A caller waits too long after", late, "seconds"),
      choice("Colours", "theme", themes, { chips: true, chosen: preferences.theme }),
    ],
    send: async (form) => {
      preferences.reasons = reasonsOf(form.get("reasons"));
      preferences.late = Number(form.get("late"));
      preferences.theme = form.get("theme");
      save(preferences);
      changed();
    },
  });
}
