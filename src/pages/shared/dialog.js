// The page's dialog and its form fields.

import { byId, create, find, setText } from "./dom.js";
import { releaseMessages, toast } from "./notices.js";
import { isInert, whileBusy } from "./pending.js";
import { ignoreDoubleClick, setUpRepeats } from "./repeats.js";

/** @typedef {string | Node} Content */

// Counts openings and closings, so that a late response does not close the next dialog.
let dialogId = 0;

/** Adapts the open dialog to a changed state. */
let follow = () => {};

/**
 * Opens the dialog. Its buttons of the type "submit" submit it, with their name and value.
 *
 * @param {object} options
 * @param {Content[]} options.title
 * @param {string | null} options.submit the submit button's text; null if the body has the buttons
 * @param {Content[]} options.body
 * @param {(form: FormData) => Promise<void>} options.send runs when the user submits. The
 *   dialog closes when `send` resolves, and shows the error if `send` throws.
 * @param {() => void} [options.follow] adapts the dialog after the state has changed. Does not run
 *   while `send` runs.
 */
export function openDialog({ title, submit, body, send, follow: adapt = () => {} }) {
  const dialog = byId("dialog", HTMLDialogElement);
  const form = find(dialog, "form", HTMLFormElement);
  const error = find(dialog, ".error");
  const button = find(dialog, "footer .primary", HTMLButtonElement);
  const content = create("div", { className: "fields", tabIndex: -1 }, ...body);
  byId("dialog-title").replaceChildren(...title);
  find(dialog, ".body").replaceChildren(content);
  setText(button, submit ?? "");
  button.hidden = submit === null;
  error.hidden = true;
  showDialogNews([]);
  dialogId += 1;
  const id = dialogId;
  follow = () => {
    if (!isInert(content)) adapt();
  };
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (isInert(content)) return;
    error.hidden = true;
    try {
      await whileBusy(content, () => send(new FormData(form, event.submitter)));
      if (id === dialogId) closeDialog();
    } catch (problem) {
      const message = errorMessage(problem);
      if (id !== dialogId) {
        toast([message], { isError: true });
        return;
      }
      setText(error, message);
      error.hidden = false;
      follow();
    }
  };
  dialog.showModal();
  ignoreDoubleClick();
  // If the body has the buttons, none of them gets the focus: a hasty Enter does nothing.
  const first = dialog.querySelector("[data-first]") ?? (submit === null ? content : button);
  if (first instanceof HTMLElement) first.focus();
}

export function isDialogOpen() {
  return byId("dialog", HTMLDialogElement).open;
}

/** Adapts the open dialog, if there is one, to a changed state. */
export function refreshDialog() {
  if (isDialogOpen()) follow();
}

/**
 * Closes the open dialog. The rest of a double click is ignored from now on: the browser's event "close"
 * can come after the second click.
 */
export function closeDialog() {
  ignoreDoubleClick();
  byId("dialog", HTMLDialogElement).close();
}

/**
 * Shows changes by others at the top of the open dialog.
 *
 * @param {Content[]} content
 */
export function showDialogNews(content) {
  const news = find(byId("dialog"), ".news");
  news.replaceChildren(...content);
  news.hidden = content.length === 0;
}

/** @param {unknown} problem */
export function errorMessage(problem) {
  return problem instanceof Error ? problem.message : String(problem);
}

export function setUpDialog() {
  setUpRepeats();
  const dialog = byId("dialog", HTMLDialogElement);
  for (const button of dialog.querySelectorAll("[data-close]")) {
    button.addEventListener("click", closeDialog);
  }
  // The target of a click on the backdrop is the dialog itself.
  dialog.addEventListener("mousedown", (event) => {
    if (event.target === dialog) closeDialog();
  });
  // By itself, the browser would press the form's first button, which may be one of several.
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !(event.target instanceof HTMLInputElement)) return;
    event.preventDefault();
    const button = dialog.querySelector(".primary:not([hidden])");
    if (button instanceof HTMLButtonElement) button.click();
  });
  dialog.addEventListener("close", () => {
    releaseMessages(find(dialog, ".messages"));
    // This event is asynchronous: the next dialog may already be open.
    if (dialog.open) return;
    dialogId += 1;
    find(dialog, ".body").replaceChildren();
  });
}

/**
 * @param {string} label
 * @param {HTMLElement} input
 * @param {string} [hint]
 */
export function field(label, input, hint = "") {
  const parts = hint === "" ? [] : [" ", create("span", { className: "hint" }, hint)];
  return create("label", { className: "field" }, label, ...parts, input);
}

/**
 * Creates an input for a reason or a name. While the user types, the input reports text that the
 * bridge would refuse because Asterisk can't store it.
 *
 * @param {Partial<HTMLInputElement>} properties
 */
export function textInput(properties) {
  const input = create("input", { type: "text", autocomplete: "off", dir: "auto", ...properties });
  input.addEventListener("input", () => input.setCustomValidity(textProblem(input.value)));
  return input;
}

/**
 * Returns why Asterisk can't store a text as a reason or a name, or an empty string if it can.
 *
 * @param {string} text
 */
export function textProblem(text) {
  if (/[|,;]/.test(text)) return "The characters | , ; can't be used here.";
  if (new TextEncoder().encode(text.trim()).length > 79) return "This is too long.";
  return "";
}

/**
 * Creates a group of radio buttons.
 *
 * @param {string} legend
 * @param {string} name
 * @param {[string, Content][]} options the value and the label of each button
 * @param {object} [settings]
 * @param {boolean} [settings.chips] whether to show the buttons side by side
 * @param {string | null} [settings.selected] the selected value, by default the first; null if
 *   the user has to select one
 */
export function choice(legend, name, options, { chips = false, selected = options[0]?.[0] } = {}) {
  const labels = options.map(([value, content], index) => {
    const required = selected === null;
    const input = create("input", { type: "radio", name, value, required, checked: value === selected });
    if (required ? index === 0 : value === selected) input.dataset.first = "";
    return create("label", { className: chips ? "" : "check" }, input, create("span", {}, content));
  });
  const title = create("legend", {}, legend);
  return create("fieldset", { className: chips ? "chips" : "choices" }, title, ...labels);
}

/**
 * @param {string} name
 * @param {Content} label
 */
export function checkbox(name, label) {
  return create("label", { className: "check" }, create("input", { type: "checkbox", name }), label);
}

/**
 * Returns a field's text without surrounding spaces, or an empty string if the form has no
 * such field.
 *
 * @param {FormData} form
 * @param {string} name
 */
export function formText(form, name) {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
}
