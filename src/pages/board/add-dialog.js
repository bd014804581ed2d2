// The dialog that adds an agent to queues.

import { checkbox, field, formText, isDialogOpen, openDialog, textInput } from "../shared/dialog.js";
import { create } from "../shared/dom.js";
import { pauseFields, pauseParameters } from "../shared/reason-fields.js";
import { membershipsOf } from "./memberships.js";

/**
 * @import { Board } from "../shared/state.js"
 * @import { Context } from "./commands.js"
 */

/**
 * Opens the dialog.
 *
 * @param {Context} context
 * @param {string} queue the queue that the dialog suggests
 */
export async function openAdd({ board, changes, reasons }, queue) {
  const catalog = await reasons.get();
  if (isDialogOpen()) return;
  const list = create("datalist", { id: "known-queues" });
  for (const { id, name } of board.queues.values()) {
    list.append(create("option", { value: id }, name));
  }
  const agent = create("input", {
    name: "agent", required: true, maxLength: 32, autocomplete: "off", inputMode: "tel", dir: "ltr",
    pattern: "[A-Za-z0-9_][A-Za-z0-9_.\\-]*", title: "Digits and letters, no spaces", data: { first: "" },
  });
  const queues = create("input", { name: "queue", required: true, autocomplete: "off", value: queue, dir: "ltr" });
  queues.setAttribute("list", list.id);
  const name = textInput({ name: "alias", maxLength: 79 });
  suggestName(board, agent, name);
  // The disabled fields are neither checked nor sent.
  const pause = create("fieldset", { hidden: true, disabled: true }, pauseFields(catalog));
  const paused = checkbox("paused", "Add as paused: no calls until resumed");
  paused.addEventListener("change", ({ target }) => {
    pause.hidden = !(target instanceof HTMLInputElement && target.checked);
    pause.disabled = pause.hidden;
  });
  openDialog({
    title: ["Add an agent"],
    submit: "Add",
    body: [
      create("div", { className: "row" }, field("Phone number", agent), field("Queue", queues)),
      list,
      field("Name", name, "shown instead of the number"),
      paused,
      pause,
    ],
    async send(form) {
      await changes.send(addParameters(form));
    },
  });
}

/**
 * Fills in the name under which the board knows an agent, unless the user has entered another one.
 *
 * @param {Board} board
 * @param {HTMLInputElement} agent
 * @param {HTMLInputElement} name
 */
function suggestName(board, agent, name) {
  let suggested = "";
  agent.addEventListener("input", () => {
    if (name.value !== suggested) return;
    const known = membershipsOf(board.queues.values(), [agent.value]).find(({ member }) => member.alias);
    suggested = known && known.member.alias !== agent.value ? known.member.alias : "";
    name.value = suggested;
  });
}

/** @param {FormData} form */
function addParameters(form) {
  const alias = formText(form, "alias");
  return {
    action: "add",
    agent: formText(form, "agent"),
    queue: formText(form, "queue").split(/[\s,]+/).filter(Boolean).join(","),
    ...(alias === "" ? null : { alias }),
    ...(form.get("paused") ? { paused: "true", ...pauseParameters(form) } : null),
  };
}
