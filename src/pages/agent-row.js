// An agent's row in a queue card.

import { cloneTemplate, find, isolate, setIcon, setText } from "./dom.js";
import { formatDuration } from "./time.js";

/**
 * @import { Member } from "./bridge"
 * @import { BoardMember } from "./state.js"
 */

/** @type {Record<string, string>} */
export const STATE_LABELS = {
  available: "Available",
  in_call: "In call",
  ringing: "Ringing",
  on_hold: "On hold",
  paused: "Paused",
  unavailable: "Unavailable",
};

/** @param {Member} member */
export function displayName({ alias, agent, interface: address }) {
  return alias || agent || address;
}

/**
 * Returns the display name in a `<bdi>`, so that its writing direction does not affect the text
 * around it.
 *
 * @param {Member} member
 */
export function nameElement(member) {
  return isolate(displayName(member));
}

export class AgentRow {
  element = cloneTemplate("agent");
  #badge = find(this.element, ".badge", SVGElement);
  #name = find(this.element, ".who .name");
  #number = find(this.element, ".who .number");
  #details = find(this.element, ".details");
  #state = find(this.element, ".state");
  #reason = find(this.element, ".reason");
  #time = find(this.element, "time");
  #pause = find(this.element, ".pause");
  #remove = find(this.element, ".remove");
  #member;

  /** @param {BoardMember} member */
  constructor(member) {
    this.#member = member;
    this.element.dataset.interface = member.data.interface;
    this.update(member);
  }

  /** @param {BoardMember} member */
  update(member) {
    this.#member = member;
    const { data } = member;
    this.element.dataset.state = data.state;
    setIcon(this.#badge, data.state in STATE_LABELS ? data.state : "unavailable");
    const name = displayName(data);
    setText(this.#name, name);
    setText(this.#number, data.agent && data.agent !== name ? data.agent : "");
    setText(this.#state, stateText(data));
    // The reason is also shown during a call, because the pause continues after the call.
    setText(this.#reason, data.paused ? (data.paused_reason ?? "") : "");
    this.#details.title = data.paused_reason ?? "";
    this.#time.classList.toggle("at-least", !member.isExact);
    this.#time.title = member.isExact ? "" : "At least this long: the state began before the page was opened";
    this.#updateButtons(data, name);
  }

  /**
   * @param {Member} data
   * @param {string} name
   */
  #updateButtons(data, name) {
    // The API can change only the organization's agents, which have a number.
    this.#pause.hidden = data.agent === null;
    this.#remove.hidden = data.agent === null || data.membership === "static";
    setIcon(find(this.#pause, "svg", SVGElement), data.paused ? "resume" : "paused");
    const verb = data.paused ? "Resume" : "Pause";
    this.#pause.title = verb;
    this.#remove.title = "Remove from the queue";
    const agent = name === data.agent ? name : `${name}, ${data.agent}`;
    setText(find(this.#pause, "span"), `${verb} ${agent}`);
    setText(find(this.#remove, "span"), `Remove ${agent}`);
  }

  /** @param {number} now */
  tick(now) {
    const { since, isExact } = this.#member;
    setText(this.#time, `${isExact ? "" : "≥ "}${formatDuration(now - since)}`);
  }
}

/** @param {Member} data */
function stateText({ state, paused }) {
  const label = STATE_LABELS[state] ?? String(state).replaceAll("_", " ");
  return paused && state !== "paused" ? `${label}, paused` : label;
}
