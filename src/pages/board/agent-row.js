// An agent's row in a queue card.

import { deadlineText } from "../shared/deadline.js";
import { cloneTemplate, find, setIcon, setText } from "../shared/dom.js";
import { displayName, reasonText, STATE_LABELS, stateText } from "../shared/member.js";
import { showBusy } from "../shared/pending.js";
import { formatDuration, parseTime } from "../shared/time.js";
import { showPauseControl } from "./pause-control.js";

/**
 * @import { Member } from "../bridge"
 * @import { Rights } from "../shared/rights.js"
 * @import { BoardMember } from "../shared/state.js"
 */

export class AgentRow {
  element = cloneTemplate("agent");
  #badge = find(this.element, ".badge", SVGElement);
  #name = find(this.element, ".who .name");
  #number = find(this.element, ".who .number");
  #details = find(this.element, ".details");
  #state = find(this.element, ".state");
  #reason = find(this.element, ".reason");
  #pauseTime = find(this.element, ".pause-time");
  #deadline = find(this.element, ".deadline");
  #time = find(this.element, "time");
  #bringBack = find(this.element, ".bring-back");
  #pause = find(this.element, ".pause");
  #remove = find(this.element, ".remove");
  #member;
  #rights;

  /**
   * @param {BoardMember} member
   * @param {Rights} rights
   */
  constructor(member, rights) {
    this.#member = member;
    this.#rights = rights;
    this.element.dataset.interface = member.data.interface;
    this.update(member);
    showBusy(this.element);
  }

  /** @param {BoardMember} member */
  update(member) {
    this.#member = member;
    const { data } = member;
    this.element.dataset.agent = this.#rights.includes(data.agent) ? String(data.agent) : "";
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
    const isChangeable = this.#rights.includes(data.agent);
    this.#pause.hidden = !isChangeable;
    this.#remove.hidden = !isChangeable || data.membership === "static";
    this.#remove.title = "Remove from the queue";
    const agent = name === data.agent ? name : `${name}, ${data.agent}`;
    showPauseControl(this.#pause, data.paused, agent);
    setText(find(this.#remove, "span"), `Remove ${agent}`);
    setText(find(this.#bringBack, ".visually-hidden"), ` ${agent}`);
    this.#showBringBack(data.auto_paused && isChangeable);
  }

  /** @param {boolean} isShown */
  #showBringBack(isShown) {
    const hadFocus = document.activeElement === this.#bringBack;
    this.#bringBack.hidden = !isShown;
    if (isShown || !hadFocus) return;
    // Keeps the keyboard's place in the list. The row itself gets the focus, and not its next
    // button, so that pressing Enter again does nothing.
    this.element.focus();
  }

  /** @param {number} now */
  tick(now) {
    const { data } = this.#member;
    const since = parseTime(data.state_since);
    setText(this.#time, since === null ? "" : formatDuration(now - since));
    // In a call, the row's time is the call's.
    const pause = data.paused && data.state !== "paused" ? parseTime(data.paused_at) : null;
    setText(this.#pauseTime, pause === null ? "" : `for ${formatDuration(now - pause)}`);
    setText(this.#deadline, deadlineText(data, now));
  }
}
