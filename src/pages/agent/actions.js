// The changes that an agent can make: pause, resume, and the return after a missed call.

import { MAX_QUEUES } from "../shared/api.js";
import { errorMessage, isDialogOpen, openDialog } from "../shared/dialog.js";
import { readOutcome } from "../shared/outcome.js";
import { isInert, markChanged, whileBusy } from "../shared/pending.js";
import { pauseFields, pauseParameters } from "../shared/reason-fields.js";

/**
 * @import { ChangeBody } from "../bridge"
 * @import { Api } from "../shared/api.js"
 * @import { Membership } from "./own-state.js"
 * @import { Reasons } from "../shared/reasons.js"
 *
 * @typedef {object} ActionListener
 * @property {(effect: "paused" | "resumed") => void} onSent called when a change is sent
 * @property {(failure: string) => void} onAnswered called with the reason of a failure, or with an
 *   empty text
 */

export class AgentActions {
  #api;
  #agent;
  #reasons;
  #controls;
  #listener;

  /**
   * @param {object} options
   * @param {Api} options.api
   * @param {string} options.agent
   * @param {Reasons} options.reasons
   * @param {HTMLElement} options.controls the element with all controls. It ignores clicks while a
   *   change is under way
   * @param {ActionListener} listener
   */
  constructor({ api, agent, reasons, controls }, listener) {
    this.#api = api;
    this.#agent = agent;
    this.#reasons = reasons;
    this.#controls = controls;
    this.#listener = listener;
  }

  /**
   * Pauses the agent in all queues. Pauses that exist keep their reasons and their times.
   *
   * @param {Record<string, string>} pause the parameters of the pause, such as its reason
   */
  async pause(pause) {
    await this.#sendPause(pause).catch((error) => this.#listener.onAnswered(errorMessage(error)));
  }

  /** Asks for a reason that is not listed, and pauses the agent with it. */
  async openOther() {
    const catalog = await this.#reasons.get();
    if (isDialogOpen() || isInert(this.#controls)) return;
    openDialog({
      title: ["Pause for another reason"],
      submit: "Pause",
      body: [pauseFields({ ...catalog, reason_required: true, reasons: [] })],
      send: (form) => this.#sendPause(pauseParameters(form)),
    });
  }

  /**
   * Ends the agent's pauses in these queues, or in all queues.
   *
   * @param {Membership[] | null} memberships
   */
  async resume(memberships) {
    const queue = memberships?.slice(0, MAX_QUEUES).map((membership) => membership.queue);
    const parameters = { action: "unpause", ...(queue ? { queue: queue.join(",") } : {}) };
    await this.#send("resumed", parameters).catch((error) => this.#listener.onAnswered(errorMessage(error)));
  }

  /** @param {Record<string, string>} pause */
  #sendPause(pause) {
    return this.#send("paused", { action: "pause", keep_existing: "true", ...pause });
  }

  /**
   * Sends a change, unless one is under way. Throws an ApiError if it fails everywhere.
   *
   * @param {"paused" | "resumed"} effect
   * @param {Record<string, string>} parameters
   */
  async #send(effect, parameters) {
    // The dialog sends although a change by someone else has just marked the controls.
    if (this.#controls.ariaBusy === "true") return;
    await whileBusy(this.#controls, async () => {
      this.#listener.onSent(effect);
      let failure = "";
      try {
        /** @type {ChangeBody} */
        const body = await this.#api.change({ agent: this.#agent, ...parameters });
        failure = readOutcome(body).failures.map(({ message }) => message).join(" ");
      } finally {
        this.#listener.onAnswered(failure);
      }
      // The event that draws the new state can arrive a moment after the response.
      markChanged(this.#controls);
    });
  }
}
