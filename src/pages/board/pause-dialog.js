// The dialog that pauses one or several agents. Its reasons are its buttons.

import { checkbox, choice, closeDialog, isDialogOpen, openDialog, showDialogNews } from "../shared/dialog.js";
import { create, isolate } from "../shared/dom.js";
import { toast } from "../shared/notices.js";
import { pauseButtons, pauseParameters } from "../shared/reason-fields.js";
import { membershipsOf, queueNames, signature } from "./memberships.js";

/**
 * @import { Content } from "../shared/dialog.js"
 * @import { Context, Subject } from "./commands.js"
 * @import { Membership } from "./memberships.js"
 */

/**
 * Opens the dialog.
 *
 * @param {Context} context
 * @param {Subject} subject
 */
export async function openPause({ board, changes, reasons }, subject) {
  const catalog = await reasons.get();
  // The user may have opened a dialog in the meantime.
  if (isDialogOpen()) return;
  const { agents, name } = subject;
  const current = () => membershipsOf(board.queues.values(), agents);
  const scope = create("div", { className: "fields" });
  let shown = current();
  scope.replaceChildren(...scopeFields(subject, shown));
  openDialog({
    title: ["Pause ", ...name()],
    submit: null,
    body: [scope, pauseButtons(catalog)],
    async send(form) {
      const outcome = await changes.send({
        action: "pause",
        agent: agents.join(","),
        ...(form.get("scope") === "one" && subject.queue ? { queue: subject.queue } : null),
        ...pauseParameters(form),
        // Without this, the agent's other pauses would lose their reasons and their times.
        keep_existing: String(form.get("replace") === null),
      });
      subject.onChanged?.(outcome);
    },
    follow() {
      const now = current();
      if (signature(now) === signature(shown)) return;
      const isGone = now.length === 0;
      shown = now;
      if (isGone) {
        closeDialog();
        const who = agents.length === 1 ? "the agent" : "them";
        toast([...name(), ` can't be paused any more: somebody else has removed ${who} from all queues.`]);
        return;
      }
      const replaces = scope.querySelector("[name=replace]:checked") !== null;
      const isOne = scope.querySelector("[value=one]:checked") !== null;
      scope.replaceChildren(...scopeFields(subject, now, { replaces, isOne }));
      showDialogNews(["Somebody else has just changed this. Now ", ...pausedText(subject, now), "."]);
    },
  });
}

/**
 * Returns the choice between this queue and all, and the checkbox that replaces existing pauses.
 *
 * @param {Subject} subject
 * @param {Membership[]} memberships
 * @param {{ replaces: boolean, isOne: boolean }} [selected]
 * @returns {HTMLElement[]}
 */
function scopeFields(subject, memberships, selected = { replaces: false, isOne: false }) {
  const { agents, queue } = subject;
  const pauses = memberships.filter(({ member }) => member.paused);
  const fields = [];
  const hasChoice = queue !== null && memberships.length > 1 && memberships.some((each) => each.queue === queue);
  if (hasChoice) {
    const oneQueue = create("span", {}, "Only in queue ", isolate(queue));
    fields.push(choice(
      "Where", "scope", [["all", `In all ${memberships.length} queues of this agent`], ["one", oneQueue]],
      { selected: selected.isOne ? "one" : "all" },
    ));
  } else if (agents.length > 1) {
    fields.push(create("p", {}, "In all queues of these people."));
  }
  if (pauses.length > 0) {
    const names = agents.length === 1 ? queueNames(pauses) : pausedPeople(pauses);
    const replace = checkbox("replace", create("span", {}, "Also replace the pauses that exist: ", ...names));
    const input = replace.querySelector("input");
    // If the agents are paused everywhere, replacing the pauses is all that the dialog can do.
    if (input) input.checked = selected.replaces || pauses.length === memberships.length;
    fields.push(replace);
  }
  return fields;
}

/**
 * Returns the people who are paused, each with the queues.
 *
 * @param {Membership[]} pauses
 * @returns {Content[]}
 */
function pausedPeople(pauses) {
  const agents = [...new Set(pauses.map(({ member }) => member.agent))];
  return agents.flatMap((agent, index) => {
    const own = pauses.filter(({ member }) => member.agent === agent);
    return [index === 0 ? "" : "; ", isolate(own[0].member.alias || String(agent)), " in ", ...queueNames(own)];
  });
}

/**
 * Returns where the agents are paused now.
 *
 * @param {Subject} subject
 * @param {Membership[]} memberships
 * @returns {Content[]}
 */
function pausedText({ agents, name }, memberships) {
  const pauses = memberships.filter(({ member }) => member.paused);
  const verb = agents.length === 1 ? "is" : "are";
  if (pauses.length === 0) return [...name(), ` ${verb} paused nowhere`];
  if (agents.length > 1) return [...name(), " are paused: ", ...pausedPeople(pauses)];
  return [...name(), " is paused in ", ...queueNames(pauses)];
}
