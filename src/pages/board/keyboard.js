// The board's keys. They are off in fields and dialogs, and with modifier keys.

import { isDialogOpen, openDialog } from "../shared/dialog.js";
import { byId, create } from "../shared/dom.js";

/**
 * @import { Commands } from "./commands.js"
 * @import { Rows } from "./rows.js"
 *
 * @typedef {(row: HTMLElement) => void} RowKey
 */

/** @type {[string, string][]} */
const HELP = [
  ["/", "Search"],
  ["Enter or ↓", "From the search to the first row"],
  ["↑ ↓ Home End", "To another row"],
  ["← →", "To the buttons of the row"],
  ["p", "Pause the agent of the row"],
  ["r", "Resume the agent of the row"],
  ["x", "Choose the person of the row, or no longer"],
  ["u", "Undo the last change"],
  ["?", "This list"],
];

/**
 * Returns which key was pressed. With a layout of other letters, such as the Hebrew one, the letter
 * keys are known by their place. Shift and Caps Lock make no difference.
 *
 * @param {Pick<KeyboardEvent, "key" | "code">} event
 */
export function keyName({ key, code }) {
  const isOtherLetter = key.length === 1 && key.charCodeAt(0) > 0x7f && /^Key[A-Z]$/.test(code);
  if (isOtherLetter) return code.slice(3).toLowerCase();
  return key.length === 1 ? key.toLowerCase() : key;
}

/**
 * Returns whether an element takes letters as input. A row's checkbox does not.
 *
 * @param {{ localName: string, type?: string, isContentEditable?: boolean }} element
 */
export function isField({ localName, type = "", isContentEditable = false }) {
  if (localName === "input") return !["checkbox", "radio"].includes(type);
  return ["select", "textarea"].includes(localName) || isContentEditable;
}

/** Opens the list of the keys. */
export function openHelp() {
  const entries = HELP.map(([key, meaning]) => {
    const keys = key.split(" ").map((text) => (text === "or" ? " or " : create("kbd", {}, text)));
    return create("div", {}, create("dt", {}, ...keys), create("dd", {}, meaning));
  });
  openDialog({
    title: ["Keys"],
    submit: "Close",
    body: [create("dl", { className: "keys" }, ...entries)],
    send: async () => {},
  });
}

function clickLastUndo() {
  const button = [...document.querySelectorAll("button.undo")].at(-1);
  if (button instanceof HTMLElement) button.click();
}

/**
 * Sets up the keys.
 *
 * @param {Rows} rows
 * @param {() => Commands | null} commands null before the login
 * @param {(agent: string) => void} choose chooses an agent, or no longer
 */
export function setUpKeyboard(rows, commands, choose) {
  /** @type {Record<string, RowKey>} */
  const rowKeys = {
    ArrowDown: (row) => rows.moveRow(row, 1),
    ArrowUp: (row) => rows.moveRow(row, -1),
    ArrowRight: (row) => rows.moveInRow(row, 1),
    ArrowLeft: (row) => rows.moveInRow(row, -1),
    Home: () => rows.focusFirst(),
    End: () => rows.focusLast(),
    p: (row) => commands()?.run("pause", row),
    r: (row) => commands()?.run("unpause", row),
    x: (row) => {
      const isOffered = row.querySelector(".choose")?.checkVisibility();
      if (isOffered && row.dataset.agent) choose(row.dataset.agent);
    },
  };
  document.addEventListener("keydown", (event) => {
    const { target, isComposing, defaultPrevented } = event;
    const isModified = event.altKey || event.ctrlKey || event.metaKey;
    if (isModified || isComposing || defaultPrevented || isDialogOpen() || commands() === null) return;
    if (handle(event, target instanceof Element ? target : document.body)) event.preventDefault();
  });

  /**
   * Returns whether the board has a use for the key.
   *
   * @param {KeyboardEvent} event
   * @param {Element} target
   */
  function handle(event, target) {
    const key = keyName(event);
    if (target.id === "search") {
      if (key !== "Enter" && key !== "ArrowDown") return false;
      rows.focusFirstFound();
      return true;
    }
    if (target instanceof HTMLElement && isField(/** @type {any} */ (target))) return false;
    const row = rows.current;
    // A key that is held down acts once, except for moves.
    if (event.repeat && key.length === 1) return false;
    if (key === "/") byId("search").focus();
    else if (key === "?") openHelp();
    else if (key === "u") clickLastUndo();
    else if (row === null || !Object.hasOwn(rowKeys, key)) return false;
    else if (key.length > 1 || !rows.isSettling) rowKeys[key](row);
    return true;
  }
}
