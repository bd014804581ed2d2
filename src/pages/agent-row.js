// One agent in one queue.

import { clone, say, useIcon } from "./dom.js";
import { duration } from "./time.js";

export const STATE_WORDS = {
  available: "Available",
  in_call: "In call",
  ringing: "Ringing",
  on_hold: "On hold",
  paused: "Paused",
  unavailable: "Unavailable",
};

export function nameOf(data) {
  return data.alias || data.agent || data.interface;
}

export class AgentRow {
  element = clone("agent");
  #part = (selector) => this.element.querySelector(selector);
  #time = this.#part("time");
  #member = null;

  constructor(member) {
    this.element.dataset.interface = member.data.interface;
    this.update(member);
  }

  update(member) {
    this.#member = member;
    const { data } = member;
    this.element.dataset.state = data.state;
    useIcon(this.#part(".badge"), data.state in STATE_WORDS ? data.state : "unavailable");
    const shown = nameOf(data);
    say(this.#part(".who .name"), shown);
    say(this.#part(".who .number"), data.agent && data.agent !== shown ? data.agent : "");
    say(this.#part(".state"), stateWords(data));
    // The reason also of a paused agent who talks: the pause holds after the call.
    say(this.#part(".reason"), data.paused ? (data.paused_reason ?? "") : "");
    this.#part(".what").title = data.paused_reason ?? "";
    this.#time.classList.toggle("about", !member.exact);
    this.#time.title = member.exact ? "" : "At least: since this page has seen it";
    this.#actions(data, shown);
  }

  #actions(data, shown) {
    const pause = this.#part(".pause");
    const remove = this.#part(".remove");
    // Not one of the organization's telephones: nothing can be asked of it.
    pause.hidden = data.agent === null;
    remove.hidden = data.agent === null || data.membership === "static";
    useIcon(pause.querySelector("svg"), data.paused ? "resume" : "paused");
    const verb = data.paused ? "Resume" : "Pause";
    pause.title = verb;
    remove.title = "Remove from the queue";
    const who = shown === data.agent ? shown : `${shown}, ${data.agent}`;
    say(pause.querySelector("span"), `${verb} ${who}`);
    say(remove.querySelector("span"), `Remove ${who}`);
  }

  tick(now) {
    const { since, exact } = this.#member;
    say(this.#time, `${exact ? "" : "≥ "}${duration(now - since)}`);
  }
}

function stateWords(data) {
  const words = STATE_WORDS[data.state] ?? String(data.state).replaceAll("_", " ");
  const also = data.paused && data.state !== "paused" ? ", paused" : "";
  return words + also;
}
