// Runs the action of a click or a key for the people of its row.

import { MAX_AGENTS, MAX_QUEUES } from "../shared/api.js";
import { isDialogOpen } from "../shared/dialog.js";
import { nameElement } from "../shared/member.js";
import { toast } from "../shared/notices.js";
import { areAgentsBusy, isInert } from "../shared/pending.js";
import { openAdd } from "./add-dialog.js";
import { membershipsOf } from "./memberships.js";
import { openPause } from "./pause-dialog.js";
import { openRemove, openResume } from "./scope-dialogs.js";

/**
 * @import { Content } from "../shared/dialog.js"
 * @import { Outcome } from "../shared/outcome.js"
 * @import { Reasons } from "../shared/reasons.js"
 * @import { Rights } from "../shared/rights.js"
 * @import { Board } from "../shared/state.js"
 * @import { Changes } from "./changes.js"
 * @import { Selection } from "./selection.js"
 *
 * @typedef {object} Subject whom a change concerns
 * @property {string[]} agents
 * @property {string | null} queue the queue of the row; null if the row is of no queue
 * @property {() => Content[]} name
 * @property {(outcome: Outcome) => void} [onChanged] called after the change
 *
 * @typedef {object} Context
 * @property {Board} board
 * @property {Changes} changes
 * @property {Reasons} reasons
 * @property {Rights} rights
 * @property {Selection} selection
 *
 * @typedef {"pause" | "unpause" | "remove"} Action
 */

/** A row of an agent in a queue, or of a person in all queues. */
export const ROW = ".agent, .person";

export class Commands {
  #context;

  /** @param {Context} context */
  constructor(context) {
    this.#context = context;
  }

  /**
   * Handles a click on the board.
   *
   * @param {Element} target
   */
  handleClick(target) {
    const row = target.closest(ROW);
    const button = target.closest("button");
    if (button === null || isInert(button)) return;
    if (row === null) {
      if (button.matches(".content .add")) this.openAdd(queueOf(button));
    } else if (button.matches(".bring-back")) {
      this.#bringBack(row);
    } else if (button.matches(".remove")) {
      this.run("remove", row);
    } else if (button.matches(".pause")) {
      this.run(button.dataset.action === "unpause" ? "unpause" : "pause", row);
    }
  }

  /**
   * Does an action with the agent of a row, unless a change of the agent is under way.
   *
   * @param {Action} action
   * @param {Element} row
   */
  run(action, row) {
    const subject = this.#subjectOf(row);
    const control = action === "remove" ? null : row.querySelector(".pause");
    if (subject && !isInert(row) && !(control && isInert(control))) this.#start(action, subject);
  }

  /**
   * Does an action with the chosen people, in all their queues. Afterwards only those for whom it
   * failed are still chosen. Refuses more people than the bridge accepts.
   *
   * @param {Action} action
   */
  runForChosen(action) {
    const { selection } = this.#context;
    const { agents } = selection;
    if (agents.length > MAX_AGENTS) {
      const text = `At most ${MAX_AGENTS} people can be changed at once, and ${agents.length} are chosen.`;
      toast([`${text} Nothing was done.`], { isError: true });
      return;
    }
    const onChanged = (/** @type {Outcome} */ { failures }) => {
      const failed = failures.map(({ agent }) => agent);
      selection.retain((agent) => failed.includes(agent) || !agents.includes(agent));
    };
    const name = () => (agents.length === 1 ? this.#nameOf(agents[0]) : [`${agents.length} people`]);
    this.#start(action, { agents, queue: null, name, onChanged });
  }

  /**
   * Opens the dialog that adds an agent.
   *
   * @param {string} [queue] the queue that the dialog suggests
   */
  openAdd(queue = "") {
    if (this.#context.rights.allows("add")) openAdd(this.#context, queue);
  }

  /**
   * @param {Action} action
   * @param {Subject} subject
   */
  #start(action, subject) {
    const { rights } = this.#context;
    if (isDialogOpen() || !rights.allows(action) || areAgentsBusy(subject.agents)) return;
    if (action === "pause") openPause(this.#context, subject);
    else if (action === "unpause") openResume(this.#context, subject);
    else openRemove(this.#context, subject);
  }

  /**
   * Resumes an agent whom Asterisk has paused because of a missed call, in all queues where it
   * did so. Pauses with another reason stay.
   *
   * @param {Element} row
   */
  #bringBack(row) {
    const subject = this.#subjectOf(row);
    if (subject === null || isInert(row)) return;
    const { board, changes } = this.#context;
    const missed = membershipsOf(board.queues.values(), subject.agents).filter(({ member }) => member.auto_paused);
    if (missed.length === 0) return;
    const queue = missed.slice(0, MAX_QUEUES).map((membership) => membership.queue).join(",");
    changes.sendOrShowFailure({ action: "unpause", agent: subject.agents[0], queue });
  }

  /**
   * Returns whom a row concerns, or null if it is nobody whom the API can change.
   *
   * @param {Element} row
   * @returns {Subject | null}
   */
  #subjectOf(row) {
    const agent = row instanceof HTMLElement ? row.dataset.agent : "";
    if (!agent) return null;
    return { agents: [agent], queue: queueOf(row) || null, name: () => this.#nameOf(agent) };
  }

  /** @param {string} agent */
  #nameOf(agent) {
    const memberships = membershipsOf(this.#context.board.queues.values(), [agent]);
    return [memberships.length === 0 ? agent : nameElement(memberships[0].member)];
  }
}

/**
 * Returns the queue of the card in which an element is, or an empty text.
 *
 * @param {Element} element
 */
function queueOf(element) {
  const card = element.closest(".card");
  return card instanceof HTMLElement ? (card.dataset.queue ?? "") : "";
}
