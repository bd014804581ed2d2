// The changes that a supervisor can make: pause, resume, add and remove, with their
// dialogs.

import { failureMessages } from "../shared/api.js";
import { checkbox, choice, errorMessage, field, formText, isDialogOpen, openDialog, textInput } from "../shared/dialog.js";
import { create, isolate } from "../shared/dom.js";
import { nameElement } from "../shared/member.js";
import { toast } from "../shared/notices.js";
import { isInert, whileBusy } from "../shared/pending.js";
import { pauseFields, pauseParameters } from "../shared/reasons.js";
import { formatCount } from "../shared/time.js";

/**
 * @import { Member, QueueResult } from "../bridge"
 * @import { Api } from "../shared/api.js"
 * @import { Content } from "../shared/dialog.js"
 * @import { Reasons } from "../shared/reasons.js"
 * @import { Board } from "../shared/state.js"
 */

// The bridge accepts at most this many queues in one request.
const MAX_QUEUES = 100;

export class Changes {
  #api;
  #board;
  #reasons;

  /**
   * @param {Api} api
   * @param {Board} board
   * @param {Reasons} reasons
   */
  constructor(api, board, reasons) {
    this.#api = api;
    this.#board = board;
    this.#reasons = reasons;
  }

  /**
   * Handles a click in a card.
   *
   * @param {Element} target
   */
  handleClick(target) {
    const queue = dataAttribute(target.closest(".card"), "queue");
    const row = target.closest(".agent");
    const pause = target.closest(".pause");
    const address = dataAttribute(row, "interface");
    const member = this.#board.queues.get(queue)?.members.get(address)?.data;
    if (target.closest(".content .add")) this.openAdd(queue);
    else if (!row || !member || isInert(row)) return;
    else if (target.closest(".remove")) this.#openRemove(row, queue, member);
    else if (target.closest(".bring-back")) this.#bringBack(row, member);
    else if (!pause || isInert(pause)) return;
    else if (member.paused) this.#resume(row, queue, member);
    else this.#openPause(row, queue, member);
  }

  /**
   * @param {Element} row
   * @param {string} queue
   * @param {Member} member
   */
  async #openPause(row, queue, member) {
    const fields = pauseFields(await this.#reasons.get());
    // The user may have opened a dialog in the meantime.
    if (isDialogOpen()) return;
    openDialog({
      title: ["Pause ", nameElement(member)],
      submit: "Pause",
      body: [fields, ...this.#scopeChoice(queue, member), ...this.#existingPauses(member)],
      send: (form) => {
        const pause = pauseParameters(form);
        const parameters = {
          action: "pause", ...agentParameter(member), ...queueParameter(form, queue), ...pause,
          // Without this, the agent's other pauses would lose their reasons and their times.
          keep_existing: String(form.get("replace") === null),
        };
        return whileBusy(row, () => this.#send(parameters, (queues) => [
          nameElement(member), ` is paused in ${queues}`, ...(pause.reason ? [": ", isolate(pause.reason)] : []), ".",
        ]));
      },
    });
  }

  /**
   * Returns the checkbox that replaces the agent's pauses in other queues, or nothing if there are
   * none.
   *
   * @param {Member} member
   * @returns {Content[]}
   */
  #existingPauses({ agent }) {
    const queues = [...this.#board.queues.values()];
    const pauses = queues.flatMap(({ id, members }) =>
      [...members.values()].filter(({ data }) => data.agent === agent && data.paused).map(({ data }) => ({ id, data })),
    );
    if (pauses.length === 0) return [];
    const names = pauses.flatMap(({ id, data: { paused_reason: reason } }, index) => [
      index === 0 ? " " : ", ", isolate(id), ...(reason ? [" (", isolate(reason), ")"] : []),
    ]);
    return [checkbox("replace", create("span", {}, "Also replace the pauses that exist:", ...names))];
  }

  /**
   * Resumes an agent whom Asterisk has paused because of a missed call, in all queues where it
   * did so. Pauses with another reason stay.
   *
   * @param {Element} row
   * @param {Member} member
   */
  #bringBack(row, member) {
    const queues = this.#agentQueues(member, ({ auto_paused: isAutoPaused }) => isAutoPaused);
    const queue = queues.slice(0, MAX_QUEUES).join(",");
    this.#sendFromRow(row, { action: "unpause", ...agentParameter(member), queue }, describeResumed(member));
  }

  /**
   * Resumes an agent. If the agent is in several queues, asks in which ones.
   *
   * @param {Element} row
   * @param {string} queue
   * @param {Member} member
   */
  #resume(row, queue, member) {
    const describe = describeResumed(member);
    const parameters = { action: "unpause", ...agentParameter(member) };
    if (this.#agentQueues(member).length === 1) {
      this.#sendFromRow(row, { ...parameters, queue }, describe);
      return;
    }
    openDialog({
      title: ["Resume ", nameElement(member)],
      submit: "Resume",
      body: this.#scopeChoice(queue, member),
      send: (form) => whileBusy(row, () => this.#send({ ...parameters, ...queueParameter(form, queue) }, describe)),
    });
  }

  /**
   * @param {Element} row
   * @param {string} queue
   * @param {Member} member
   */
  #openRemove(row, queue, member) {
    const queues = this.#agentQueues(member);
    const explanation = create("p", {}, "The agent gets no calls from queue ", isolate(queue), " until added again.");
    const hasChoice = queues.length > 1 && queues.length <= MAX_QUEUES;
    openDialog({
      title: ["Remove ", nameElement(member)],
      submit: "Remove",
      body: hasChoice ? this.#scopeChoice(queue, member, "one") : [explanation],
      send: (form) => {
        // Unlike pause, remove requires a list of the queues.
        const from = form.get("scope") === "all" ? queues.join(",") : queue;
        const parameters = { action: "remove", ...agentParameter(member), queue: from };
        return whileBusy(row, () =>
          this.#send(parameters, (description) => [nameElement(member), ` was removed from ${description}.`]),
        );
      },
    });
  }

  /**
   * Opens the dialog that adds an agent.
   *
   * @param {string} [queue] the queue that the dialog suggests
   */
  async openAdd(queue = "") {
    const catalog = await this.#reasons.get();
    if (isDialogOpen()) return;
    const list = create("datalist", { id: "known-queues" });
    for (const { id, name } of this.#board.queues.values()) {
      list.append(create("option", { value: id }, name));
    }
    const agent = create("input", {
      name: "agent", required: true, maxLength: 32, autocomplete: "off", inputMode: "tel", dir: "ltr",
      pattern: "[A-Za-z0-9_][A-Za-z0-9_.\\-]*", title: "Digits and letters, no spaces", data: { first: "" },
    });
    const queues = create("input", { name: "queue", required: true, autocomplete: "off", value: queue, dir: "ltr" });
    queues.setAttribute("list", list.id);
    // The disabled fields are neither checked nor sent.
    const pause = create("fieldset", { hidden: true, disabled: true }, pauseFields(catalog, { startsWithNone: true }));
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
        field("Name", textInput({ name: "alias", maxLength: 79 }), "shown instead of the number"),
        paused,
        pause,
      ],
      send: (form) => this.#add(form),
    });
  }

  /** @param {FormData} form */
  #add(form) {
    const agent = formText(form, "agent");
    const alias = formText(form, "alias");
    const queue = formText(form, "queue").split(/[\s,]+/).filter(Boolean).join(",");
    /** @type {Record<string, string>} */
    const parameters = { action: "add", agent, queue };
    if (alias) parameters.alias = alias;
    if (form.get("paused")) Object.assign(parameters, { paused: "true" }, pauseParameters(form));
    return this.#send(parameters, (queues) => [isolate(alias || agent), ` was added to ${queues}.`]);
  }

  /**
   * Returns the choice between this queue and all of the agent's queues, or nothing if the
   * agent is in only one queue.
   *
   * @param {string} queue
   * @param {Member} member
   * @param {"all" | "one"} [selected]
   * @returns {Content[]}
   */
  #scopeChoice(queue, member, selected = "all") {
    const { length } = this.#agentQueues(member);
    if (length <= 1) return [];
    const oneQueue = create("span", {}, "Only in queue ", isolate(queue));
    return [choice("Where", "scope", [["all", `In all ${length} queues of this agent`], ["one", oneQueue]], { selected })];
  }

  /**
   * Returns the queues in which the agent is a member that matches `filter`.
   *
   * @param {Member} member
   * @param {(membership: Member) => boolean} [filter]
   */
  #agentQueues({ agent }, filter = () => true) {
    const queues = [...this.#board.queues.values()];
    const matches = (/** @type {typeof queues[0]} */ { members }) =>
      [...members.values()].some(({ data }) => data.agent === agent && filter(data));
    return queues.filter(matches).map(({ id }) => id);
  }

  /**
   * Sends a change that needs no dialog, and shows its result or its failure. Until then, the row
   * ignores clicks.
   *
   * @param {Element} row
   * @param {Record<string, string>} parameters
   * @param {(queues: string) => Content[]} describe as for `#send`
   */
  async #sendFromRow(row, parameters, describe) {
    try {
      await whileBusy(row, () => this.#send(parameters, describe));
    } catch (error) {
      toast([errorMessage(error)], { isError: true });
    }
  }

  /**
   * Sends a change and shows its result.
   *
   * @param {Record<string, string>} parameters
   * @param {(queues: string) => Content[]} describe returns the message for the queues in
   *   which the change succeeded
   */
  async #send(parameters, describe) {
    const answer = await this.#api.change(parameters);
    /** @type {QueueResult[]} */
    const results = answer.queues ?? [];
    const succeeded = results.filter(({ result, kept: isKept }) => result === "ok" && !isKept);
    const kept = results.filter(({ kept: isKept }) => isKept).map(({ queue }) => queue);
    const queues =
      succeeded.length === 1 ? `queue ${succeeded[0].queue}` : formatCount(succeeded.length, "queue");
    const failures = failureMessages(results);
    const unchanged = kept.length === 0 ? [] : [` The pause in queue ${kept.join(", ")} was left as it is.`];
    const changed = succeeded.length > 0 || kept.length === 0 ? describe(queues) : [];
    toast([...changed, ...unchanged, ...failures.map((message) => ` ${message}`)], { isError: failures.length > 0 });
  }
}

/**
 * Returns the message for an agent who has been resumed.
 *
 * @param {Member} member
 * @returns {(queues: string) => Content[]}
 */
function describeResumed(member) {
  return (queues) => [nameElement(member), ` takes calls again in ${queues}.`];
}

/**
 * Returns an element's data attribute, or an empty string if there is none.
 *
 * @param {Element | null} element
 * @param {string} name
 */
function dataAttribute(element, name) {
  return element instanceof HTMLElement ? (element.dataset[name] ?? "") : "";
}

/**
 * Returns the `agent` parameter. Agents without a number have no buttons, so `agent` is never
 * null here.
 *
 * @param {Member} member
 */
function agentParameter(member) {
  return { agent: member.agent ?? "" };
}

/**
 * Returns the `queue` parameter, or no parameter for all of the agent's queues. If the form
 * has no choice, the agent is only in `queue`.
 *
 * @param {FormData} form
 * @param {string} queue
 * @returns {Record<string, string>}
 */
function queueParameter(form, queue) {
  return form.get("scope") === "all" ? {} : { queue };
}
