// An agent's row in a queue card.

import { deadlineText } from "./deadline.js";
import { cloneTemplate, find, isolate, setIcon, setText } from "./dom.js";
import { markChanged } from "./pending.js";
import { formatDuration, parseTime } from "./time.js";

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
  wrap_up: "Wrap-up",
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
  #deadline = find(this.element, ".deadline");
  #time = find(this.element, "time");
  #bringBack = find(this.element, ".bring-back");
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
    this.element.classList.toggle("overdue", data.pause_overdue);
    setIcon(this.#badge, data.state in STATE_LABELS ? data.state : "unavailable");
    const name = displayName(data);
    setText(this.#name, name);
    setText(this.#number, data.agent && data.agent !== name ? data.agent : "");
    setText(this.#state, stateText(data));
    // The reason is also shown during a call, because the pause continues after the call.
    const reason = reasonText(data);
    setText(this.#reason, reason);
    this.#details.title = reason;
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
    if (this.#pause.title !== verb && this.#pause.title !== "") markChanged(this.#pause);
    this.#pause.title = verb;
    this.#remove.title = "Remove from the queue";
    const agent = name === data.agent ? name : `${name}, ${data.agent}`;
    setText(find(this.#pause, "span"), `${verb} ${agent}`);
    setText(find(this.#remove, "span"), `Remove ${agent}`);
    setText(find(this.#bringBack, ".visually-hidden"), ` ${agent}`);
    this.#showBringBack(data.auto_paused && data.agent !== null);
  }

  /** @param {boolean} isShown */
  #showBringBack(isShown) {
    const hadFocus = document.activeElement === this.#bringBack;
    this.#bringBack.hidden = !isShown;
    if (isShown || !hadFocus) return;
    // Keeps the keyboard's place in the list. The row itself gets the focus, and not its next
    // button, so that pressing Enter again does nothing.
    this.element.tabIndex = -1;
    this.element.focus();
    this.element.addEventListener("blur", () => this.element.removeAttribute("tabindex"), { once: true });
  }

  /** @param {number} now */
  tick(now) {
    const { data } = this.#member;
    const since = parseTime(data.state_since);
    setText(this.#time, since === null ? "" : formatDuration(now - since));
    setText(this.#deadline, deadlineText(data, now));
  }
}

/**
 * Returns the member's state in words. A pause by Asterisk because of a missed call is part of
 * the state.
 *
 * @param {Member} member
 */
export function stateText({ state, paused, auto_paused: isAutoPaused }) {
  const label = STATE_LABELS[state] ?? String(state).replaceAll("_", " ");
  const text = paused && state !== "paused" ? `${label}, paused` : label;
  return isAutoPaused ? `${text} for a missed call` : text;
}

/**
 * Returns the reason of a pause that a person has made, or an empty text.
 *
 * @param {Member} member
 */
export function reasonText({ paused, paused_reason: reason, auto_paused: isAutoPaused }) {
  return paused && !isAutoPaused ? (reason ?? "") : "";
}
