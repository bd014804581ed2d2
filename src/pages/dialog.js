// The one dialog of the page, and the fields in it.

import { byId, make, say } from "./dom.js";
import { toast } from "./notices.js";

// Which dialog it is now: an answer that comes late must not close the next one.
let current = 0;

// Opens it. `send` gets the form's data and does what the dialog is for: the dialog
// closes when it is done, and stays with the reason where it throws.
export function ask({ title, submit, body, send }) {
  const dialog = byId("dialog");
  const form = dialog.querySelector("form");
  const error = dialog.querySelector(".error");
  const button = dialog.querySelector(".primary");
  byId("dialog-title").replaceChildren(...[title].flat());
  dialog.querySelector(".body").replaceChildren(...body);
  say(button, submit);
  button.disabled = false;
  error.hidden = true;
  const mine = (current += 1);
  form.onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    error.hidden = true;
    try {
      await send(new FormData(form));
      if (mine === current) dialog.close();
    } catch (problem) {
      if (mine !== current) {
        toast(problem.message, { bad: true });
        return;
      }
      say(error, problem.message);
      error.hidden = false;
      button.disabled = false;
    }
  };
  dialog.showModal();
  (dialog.querySelector("[data-first]") ?? button).focus();
}

export function setUpDialog() {
  const dialog = byId("dialog");
  for (const button of dialog.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => dialog.close());
  }
  // On the backdrop, which is the dialog itself and nothing in it.
  dialog.addEventListener("mousedown", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    // The event comes late: by now the next one may be open.
    if (dialog.open) return;
    current += 1;
    dialog.querySelector(".body").replaceChildren();
  });
}

export function field(label, input, hint = "") {
  const parts = hint === "" ? [] : [" ", make("span", { className: "hint" }, hint)];
  return make("label", { className: "field" }, label, ...parts, input);
}

// Free text that Asterisk can keep: the bridge refuses the rest, and here it is said
// while it is typed.
export function freeText(properties) {
  const input = make("input", { type: "text", autocomplete: "off", dir: "auto", ...properties });
  input.addEventListener("input", () => input.setCustomValidity(unfit(input.value)));
  return input;
}

// Why a text can't be a reason or a name, or nothing.
export function unfit(text) {
  if (/[|,;]/.test(text)) return "The characters | , ; can't be used here.";
  if (new TextEncoder().encode(text.trim()).length > 79) return "This is too long.";
  return "";
}

// A choice of one, as chips or as lines. `options` are `[value, content]`; the first is
// chosen, or `chosen`.
export function choice(legend, name, options, { chips = false, chosen = options[0]?.[0] } = {}) {
  const lines = options.map(([value, content]) => {
    const input = make("input", { type: "radio", name, value, checked: value === chosen });
    if (value === chosen) input.dataset.first = "";
    const words = make("span", {}, content);
    return make("label", { className: chips ? "" : "check" }, input, words);
  });
  const title = make("legend", {}, legend);
  return make("fieldset", { className: chips ? "chips" : "choices" }, title, ...lines);
}

export function check(name, words, checked = false) {
  const input = make("input", { type: "checkbox", name, checked });
  return make("label", { className: "check" }, input, words);
}
