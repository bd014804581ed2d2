// The dialogs that resume or remove agents: one button for each choice of queues.

import { closeDialog, openDialog, showDialogNews } from "../shared/dialog.js";
import { create, isolate } from "../shared/dom.js";
import { toast } from "../shared/notices.js";
import { membershipsOf, queueNames, signature } from "./memberships.js";

/**
 * @import { Content } from "../shared/dialog.js"
 * @import { Context, Subject } from "./commands.js"
 * @import { Membership } from "./memberships.js"
 */

/**
 * Resumes agents. If a row's agent is also paused in other queues, asks where.
 *
 * @param {Context} context
 * @param {Subject} subject
 */
export async function openResume(context, subject) {
  const { agents, queue } = subject;
  const find = () => current(context, subject).filter(({ member }) => member.paused);
  const paused = find();
  const everywhere = { action: "unpause", agent: agents.join(",") };
  if (paused.length === 0) {
    toast([...subject.name(), agents.length === 1 ? " is not paused." : " are not paused."]);
    return;
  }
  if (queue === null || paused.every((each) => each.queue === queue)) {
    const outcome = await context.changes.sendOrShowFailure(queue === null ? everywhere : { ...everywhere, queue });
    if (outcome) subject.onChanged?.(outcome);
    return;
  }
  openScope(context, subject, {
    title: ["Resume ", ...subject.name()],
    find,
    describe: (memberships) => [
      scopeButton("all", ["In all ", String(memberships.length), " queues: ", ...queueNames(memberships)]),
      ...oneButton(memberships, queue, ["Only in queue ", isolate(queue)]),
    ],
    goneText: " is not paused any more: somebody else has ended the pause.",
    everywhere,
  });
}

/**
 * Asks before it removes agents, and where.
 *
 * @param {Context} context
 * @param {Subject} subject
 */
export function openRemove(context, subject) {
  const { agents, queue } = subject;
  const find = () => current(context, subject);
  openScope(context, subject, {
    title: ["Remove ", ...subject.name()],
    find,
    describe: (memberships) => [
      ...removeText(subject, memberships),
      ...(queue === null ? [] : oneButton(memberships, queue, ["Remove from queue ", isolate(queue)])),
      ...removeAllButton(subject, memberships),
    ],
    goneText: agents.length === 1
      ? " is not there any more: somebody else has removed the agent."
      : " are not there any more: somebody else has removed them.",
    everywhere: { action: "remove", agent: agents.join(","), queue: "*" },
  });
}

/**
 * Opens a dialog whose buttons are the choices of queues. Keeps it up to date while others change
 * the same agents.
 *
 * @param {Context} context
 * @param {Subject} subject
 * @param {object} options
 * @param {Content[]} options.title
 * @param {() => Membership[]} options.find returns the memberships that can be changed
 * @param {(memberships: Membership[]) => Content[]} options.describe returns the dialog's content
 * @param {string} options.goneText shown after the name if there are none any more
 * @param {Record<string, string>} options.everywhere the parameters of the choice "all"
 */
function openScope({ changes }, subject, { title, find, describe, goneText, everywhere }) {
  let shown = find();
  const content = create("div", { className: "fields" }, ...describe(shown));
  openDialog({
    title,
    submit: null,
    body: [content],
    async send(form) {
      const isOne = form.get("scope") === "one" && subject.queue !== null;
      const outcome = await changes.send(isOne ? { ...everywhere, queue: subject.queue ?? "" } : everywhere);
      subject.onChanged?.(outcome);
    },
    follow() {
      const now = find();
      if (signature(now) === signature(shown)) return;
      const name = subject.name();
      shown = now;
      if (now.length === 0) {
        closeDialog();
        toast([...name, goneText]);
        return;
      }
      content.replaceChildren(...describe(now));
      showDialogNews(["Somebody else has just changed this: now in ", ...queueNames(now), "."]);
    },
  });
}

/**
 * @param {Context} context
 * @param {Subject} subject
 */
function current({ board }, { agents }) {
  return membershipsOf(board.queues.values(), agents);
}

/**
 * @param {"all" | "one"} value
 * @param {Content[]} content
 */
function scopeButton(value, content) {
  return create("button", { type: "submit", name: "scope", value, className: "scope" }, create("span", {}, ...content));
}

/**
 * Returns the button for the row's queue, or nothing if the agent is not there any more.
 *
 * @param {Membership[]} memberships
 * @param {string} queue
 * @param {Content[]} content
 */
function oneButton(memberships, queue, content) {
  const membership = memberships.find((each) => each.queue === queue);
  return membership ? [scopeButton("one", content)] : [];
}

/**
 * Returns the button that removes the agents from all queues, or nothing if that is the row's queue
 * only.
 *
 * @param {Subject} subject
 * @param {Membership[]} memberships
 */
function removeAllButton({ agents, queue }, memberships) {
  const dynamic = memberships.filter(({ member }) => member.membership === "dynamic");
  if (dynamic.every((each) => each.queue === queue)) return [];
  const count = new Set(dynamic.map((each) => each.queue)).size;
  const names = agents.length === 1 ? [": ", ...queueNames(dynamic)] : [];
  return [scopeButton("all", [count === 1 ? "Remove from one queue" : `Remove from all ${count} queues`, ...names])];
}

/**
 * Returns the effect of the removal, and the memberships that stay.
 *
 * @param {Subject} subject
 * @param {Membership[]} memberships
 * @returns {Content[]}
 */
function removeText({ agents, queue }, memberships) {
  const who = agents.length === 1 ? "The agent gets" : "They get";
  const text = create("p", {}, `${who} no calls from these queues until added again.`);
  const fixed = memberships.filter(({ member, queue: each }) => member.membership === "static" && each !== queue);
  if (fixed.length === 0) return [text];
  const stays = agents.length === 1 ? "The agent stays" : "Some stay";
  const note = `${stays} where the phone system's configuration says so: `;
  return [text, create("p", {}, note, ...queueNames(fixed), ".")];
}
