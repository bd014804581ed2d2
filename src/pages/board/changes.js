// Sends the changes that a supervisor makes, shows their results, and offers to undo them.

import { ApiError } from "../shared/api.js";
import { errorMessage } from "../shared/dialog.js";
import { isolate, isolateText } from "../shared/dom.js";
import { displayName } from "../shared/member.js";
import { toast } from "../shared/notices.js";
import { agentsOf, readOutcome } from "../shared/outcome.js";
import { areAgentsBusy, whileAgentsBusy } from "../shared/pending.js";
import { membershipsOf } from "./memberships.js";
import { failedText, fixedText, groupFailures, existingText, resultText, undoHint } from "./texts.js";
import { inverseRequests, unchangedSince } from "./undo.js";

/**
 * @import { Api } from "../shared/api.js"
 * @import { Undo } from "../shared/notices.js"
 * @import { Outcome, Row } from "../shared/outcome.js"
 * @import { Reasons } from "../shared/reasons.js"
 * @import { Rights } from "../shared/rights.js"
 * @import { Board } from "../shared/state.js"
 * @import { Clock } from "../shared/time.js"
 * @import { Membership } from "./memberships.js"
 * @import { Done, Parameters } from "./undo.js"
 *
 * @typedef {object} ChangesOptions
 * @property {Api} api
 * @property {Board} board
 * @property {Clock} clock
 * @property {Reasons} reasons
 * @property {Rights} rights
 */

// More than anyone makes in the time in which a change can be undone.
const MAX_OFFERS = 50;

export class Changes {
  #api;
  #board;
  #clock;
  #reasons;
  #rights;
  /** @type {{ agents: string[], withdraw: () => void }[]} the latest offers to undo a change */
  #offers = [];

  /** @param {ChangesOptions} options */
  constructor({ api, board, clock, reasons, rights }) {
    this.#api = api;
    this.#board = board;
    this.#clock = clock;
    this.#reasons = reasons;
    this.#rights = rights;
  }

  /**
   * Sends a change, and shows its result. Until the bridge has answered, the agents' rows ignore
   * clicks. Throws an ApiError if the change failed everywhere.
   *
   * @param {Parameters} parameters with `agent`, a comma-separated list
   * @returns {Promise<Outcome>}
   */
  async send(parameters) {
    const agents = parameters.agent.split(",");
    const before = this.#memberships(agents);
    this.#withdrawOffers(agents);
    return whileAgentsBusy(agents, async () => {
      const outcome = await this.#request(parameters, before);
      if (parameters.action === "unpause") outcome.changed = pausedOnly(outcome.changed, before);
      const nameOf = nameElements(before);
      const content = [
        ...resultText(parameters, outcome, nameOf),
        ...existingText(outcome, nameOf),
        ...fixedText(outcome, nameOf),
        ...failedText(outcome, nameOf),
      ];
      const undo = await this.#undo({ parameters, changed: outcome.changed, before });
      const withdraw = toast(content, { isError: outcome.failures.length > 0, undo });
      this.#offers.push({ agents, withdraw });
      return outcome;
    });
  }

  /**
   * Like `send`, but shows a failure instead of throwing it.
   *
   * @param {Parameters} parameters
   */
  async sendOrShowFailure(parameters) {
    try {
      return await this.send(parameters);
    } catch (error) {
      toast([errorMessage(error)], { isError: true });
      return null;
    }
  }

  /**
   * Sends one request. If a change of several agents failed for all of them, the error names each.
   *
   * @param {Parameters} parameters
   * @param {Membership[]} before the agents' memberships before the change
   * @returns {Promise<Outcome>}
   */
  async #request(parameters, before) {
    try {
      return readOutcome(await this.#api.change(parameters));
    } catch (error) {
      if (!(error instanceof ApiError) || error.agents === undefined) throw error;
      const { failures, fixed } = readOutcome({ agents: error.agents });
      const groups = groupFailures(failures);
      if (fixed.length > 0) groups.push({ agents: agentsOf(fixed), message: error.message });
      const names = namesIn(before);
      const nameOf = (/** @type {string} */ agent) => isolateText(names.get(agent) ?? agent);
      const texts = groups.map(({ agents, message }) => `${agents.map(nameOf).join(", ")}: ${message}`);
      throw new ApiError(error.code, texts.join("\n"));
    }
  }

  /**
   * Returns the offer to undo a change, or null if nothing can be restored, or the user may not do it.
   *
   * @param {Done} done
   * @returns {Promise<Undo | null>}
   */
  async #undo(done) {
    if (done.changed.length === 0) return null;
    const catalog = await this.#reasons.get();
    const inverse = () => {
      const agents = agentsOf(done.changed);
      const changed = unchangedSince(done, this.#memberships(agents));
      return inverseRequests({ ...done, changed }, catalog, this.#clock.now());
    };
    const offered = inverseRequests(done, catalog, this.#clock.now());
    if (offered.length === 0 || !offered.every(({ action }) => this.#rights.allows(action))) return null;
    return {
      hint: undoHint(offered),
      run: () => {
        if (areAgentsBusy(agentsOf(done.changed))) return false;
        this.#sendInverse(inverse(), done.before);
        return true;
      },
    };
  }

  /**
   * Sends each request once, and shows the result of all together.
   *
   * @param {Parameters[]} requests
   * @param {Membership[]} before the memberships that they restore
   */
  async #sendInverse(requests, before) {
    if (requests.length === 0) {
      toast(["Nothing was undone: somebody else has changed it in the meantime."], { isError: true });
      return;
    }
    const nameOf = nameElements(before);
    const agents = requests.flatMap(({ agent }) => agent.split(","));
    let [hasFailed, isUndone] = [false, false];
    const content = await whileAgentsBusy(agents, async () => {
      const parts = [];
      for (const request of requests) {
        try {
          const outcome = await this.#request(request, before);
          hasFailed ||= outcome.failures.length > 0;
          isUndone ||= outcome.changed.length > 0;
          parts.push(" ", ...resultText(request, outcome, nameOf));
          parts.push(...existingText(outcome, nameOf), ...failedText(outcome, nameOf));
        } catch (error) {
          hasFailed = true;
          parts.push(` ${errorMessage(error)}`);
        }
      }
      return parts;
    });
    const hint = undoHint(requests);
    const title = isUndone ? "Undone:" : "Not undone:";
    toast([title, ...content, ...(isUndone && hint !== "" ? [` ${hint}`] : [])], { isError: hasFailed });
  }

  /**
   * Withdraws the offers that concern any of these agents: only the last change can be undone.
   *
   * @param {string[]} agents
   */
  #withdrawOffers(agents) {
    const isSame = (/** @type {{ agents: string[] }} */ offer) => offer.agents.some((agent) => agents.includes(agent));
    for (const offer of this.#offers.filter(isSame)) offer.withdraw();
    this.#offers = this.#offers.filter((offer) => !isSame(offer)).slice(-MAX_OFFERS);
  }

  /** @param {string[]} agents */
  #memberships(agents) {
    return membershipsOf(this.#board.queues.values(), agents);
  }
}

/**
 * Returns the agents' names.
 *
 * @param {Membership[]} memberships
 */
function namesIn(memberships) {
  return new Map(memberships.map(({ member }) => [member.agent, displayName(member)]));
}

/**
 * Returns a function that returns an agent's name as an element.
 *
 * @param {Membership[]} memberships
 */
function nameElements(memberships) {
  const names = namesIn(memberships);
  return (/** @type {string} */ agent) => isolate(names.get(agent) ?? agent);
}

/**
 * Returns the rows of memberships that were paused, or all rows if none was: the bridge also resumes
 * agents who are not paused.
 *
 * @param {Row[]} rows
 * @param {Membership[]} before
 */
function pausedOnly(rows, before) {
  const paused = rows.filter(({ agent, queue }) =>
    before.some(({ queue: id, member }) => id === queue && member.agent === agent && member.paused),
  );
  return paused.length > 0 ? paused : rows;
}
