// The changes that a supervisor can make: pause, resume, add and remove, with their
// dialogs.

import { nameElement } from "./agent-row.js";
import { failureMessages } from "./api.js";
import { checkbox, choice, errorMessage, field, formText, openDialog, textInput } from "./dialog.js";
import { create, isolate } from "./dom.js";
import { toast } from "./notices.js";
import { formatCount } from "./time.js";

/**
 * @import { Member, Preferences, QueueResult } from "./bridge"
 * @import { Api } from "./api.js"
 * @import { Content } from "./dialog.js"
 * @import { Board } from "./state.js"
 */

// The bridge accepts at most this many queues in one request.
const MAX_QUEUES = 100;

export class Changes {
  #api;
  #board;
  #preferences;

  /**
   * @param {Api} api
   * @param {Board} board
   * @param {Preferences} preferences
   */
  constructor(api, board, preferences) {
    this.#api = api;
    this.#board = board;
    this.#preferences = preferences;
  }

  /**
   * Handles a click in a card.
   *
   * @param {Element} target
   */
  handleClick(target) {
    const queue = dataAttribute(target.closest(".card"), "queue");
    const address = dataAttribute(target.closest(".agent"), "interface");
    const member = this.#board.queues.get(queue)?.members.get(address)?.data;
    if (target.closest(".content .add")) this.openAdd(queue);
    else if (!member) return;
    else if (target.closest(".remove")) this.#openRemove(queue, member);
    else if (!target.closest(".pause")) return;
    else if (member.paused) this.#resume(queue, member);
    else this.#openPause(queue, member);
  }

  /**
   * @param {string} queue
   * @param {Member} member
   */
  #openPause(queue, member) {
    /** @type {[string, Content][]} */
    const reasons = this.#preferences.reasons.map((reason) => [reason, isolate(reason)]);
    const otherReason = textInput({ name: "other", maxLength: 79 });
    const chips = choice("Reason", "reason", [...reasons, ["", "None"]], { chips: true });
    // A typed reason replaces the selected one, and vice versa.
    otherReason.addEventListener("input", () => {
      for (const input of chips.querySelectorAll("input")) input.checked = false;
    });
    chips.addEventListener("change", () => {
      otherReason.value = "";
      otherReason.setCustomValidity("");
    });
    openDialog({
      title: ["Pause ", nameElement(member)],
      submit: "Pause",
      body: [chips, field("Another reason", otherReason), ...this.#scopeChoice(queue, member)],
      send: async (form) => {
        const reason = formText(form, "other") || String(form.get("reason") ?? "");
        const parameters = { action: "pause", ...agentParameter(member), ...queueParameter(form, queue) };
        await this.#send(reason === "" ? parameters : { ...parameters, reason }, (queues) => [
          nameElement(member), ` is paused in ${queues}`, ...(reason ? [": ", isolate(reason)] : []), ".",
        ]);
      },
    });
  }

  /**
   * Resumes an agent. If the agent is in several queues, asks in which ones.
   *
   * @param {string} queue
   * @param {Member} member
   */
  #resume(queue, member) {
    const describe = (/** @type {string} */ queues) => [nameElement(member), ` takes calls again in ${queues}.`];
    const parameters = { action: "unpause", ...agentParameter(member) };
    if (this.#agentQueues(member).length === 1) {
      this.#send({ ...parameters, queue }, describe).catch((error) => {
        toast([errorMessage(error)], { isError: true });
      });
      return;
    }
    openDialog({
      title: ["Resume ", nameElement(member)],
      submit: "Resume",
      body: this.#scopeChoice(queue, member),
      send: (form) => this.#send({ ...parameters, ...queueParameter(form, queue) }, describe),
    });
  }

  /**
   * @param {string} queue
   * @param {Member} member
   */
  #openRemove(queue, member) {
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
        return this.#send(parameters, (description) => [nameElement(member), ` was removed from ${description}.`]);
      },
    });
  }

  /**
   * Opens the dialog that adds an agent.
   *
   * @param {string} [queue] the queue that the dialog suggests
   */
  openAdd(queue = "") {
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
    const reason = field("Reason", textInput({ name: "reason", maxLength: 79 }));
    reason.hidden = true;
    const paused = checkbox("paused", "Add as paused: no calls until resumed");
    paused.addEventListener("change", ({ target }) => {
      reason.hidden = !(target instanceof HTMLInputElement && target.checked);
    });
    openDialog({
      title: ["Add an agent"],
      submit: "Add",
      body: [
        create("div", { className: "row" }, field("Phone number", agent), field("Queue", queues)),
        list,
        field("Name", textInput({ name: "alias", maxLength: 79 }), "shown instead of the number"),
        paused,
        reason,
      ],
      send: (form) => this.#add(form),
    });
  }

  /** @param {FormData} form */
  #add(form) {
    const agent = formText(form, "agent");
    const alias = formText(form, "alias");
    const reason = formText(form, "reason");
    const queue = formText(form, "queue").split(/[\s,]+/).filter(Boolean).join(",");
    /** @type {Record<string, string>} */
    const parameters = { action: "add", agent, queue };
    if (alias) parameters.alias = alias;
    if (form.get("paused")) {
      parameters.paused = "true";
      if (reason) parameters.reason = reason;
    }
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

  /** @param {Member} member */
  #agentQueues({ agent }) {
    const queues = [...this.#board.queues.values()];
    const hasAgent = (/** @type {typeof queues[0]} */ { members }) =>
      [...members.values()].some(({ data }) => data.agent === agent);
    return queues.filter(hasAgent).map(({ id }) => id);
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
    const succeeded = results.filter(({ result }) => result === "ok");
    const queues =
      succeeded.length === 1 ? `queue ${succeeded[0].queue}` : formatCount(succeeded.length, "queue");
    const failures = failureMessages(results);
    toast([...describe(queues), ...failures.map((message) => ` ${message}`)], { isError: failures.length > 0 });
  }
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
