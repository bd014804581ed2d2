// A person's row.

import { deadlineText } from "../shared/deadline.js";
import { cloneTemplate, create, find, isolate, setIcon, setText } from "../shared/dom.js";
import { STATE_LABELS } from "../shared/member.js";
import { showBusy } from "../shared/pending.js";
import { formatDuration } from "../shared/time.js";
import { showPauseControl } from "./pause-control.js";
import { overText } from "./person.js";

/**
 * @import { Rights } from "../shared/rights.js"
 * @import { Fact, Person } from "./person.js"
 */

// A row names at most this many queues of a state. The others are counted.
const MAX_QUEUES = 8;

export class PersonRow {
  element = cloneTemplate("person");
  #badge = find(this.element, ".badge", SVGElement);
  #name = find(this.element, ".who .name");
  #number = find(this.element, ".who .number");
  #facts = find(this.element, ".facts");
  #choose = find(this.element, ".choose", HTMLInputElement);
  #pause = find(this.element, ".pause");
  /** @type {FactLine[]} */
  #lines = [];
  #rights;

  /** @param {Rights} rights */
  constructor(rights) {
    this.#rights = rights;
  }

  /**
   * @param {Person} person
   * @param {boolean} isChosen whether the user has chosen the person for a common change
   */
  update(person, isChosen) {
    const { agent, facts, name, state } = person;
    const { dataset, classList } = this.element;
    dataset.interface = person.interface;
    dataset.agent = this.#rights.includes(agent) ? String(agent) : "";
    dataset.state = state;
    classList.toggle("overdue", person.totals.has("overdue"));
    classList.toggle("chosen", isChosen);
    showBusy(this.element);
    this.#choose.checked = isChosen;
    setIcon(this.#badge, state in STATE_LABELS ? state : "unavailable");
    const number = agent !== null && agent !== name ? agent : "";
    setText(this.#name, name);
    setText(this.#number, number);
    this.#updateControls(person, number === "" ? name : `${name}, ${number}`);
    while (this.#lines.length > facts.length) this.#lines.pop()?.element.remove();
    facts.forEach((fact, index) => {
      this.#lines[index] ??= this.#addLine();
      this.#lines[index].update(fact);
    });
  }

  /** @param {number} now */
  tick(now) {
    for (const line of this.#lines) line.tick(now);
  }

  /**
   * @param {Person} person
   * @param {string} label the person's name and number
   */
  #updateControls({ agent, isPaused }, label) {
    const isChangeable = this.#rights.includes(agent);
    this.#choose.hidden = !isChangeable;
    this.#pause.hidden = !isChangeable;
    this.#choose.ariaLabel = `Choose ${label}`;
    showPauseControl(this.#pause, isPaused, label);
  }

  #addLine() {
    const line = new FactLine();
    this.#facts.append(line.element);
    return line;
  }
}

/** A state or a pause, with its time and its queues. */
class FactLine {
  element = cloneTemplate("fact");
  #state = find(this.element, ".state");
  #reason = find(this.element, ".reason");
  #time = find(this.element, "time");
  #deadline = find(this.element, ".deadline");
  #deadlineText = find(this.element, ".deadline span");
  #queues = find(this.element, ".queues");
  /** @type {Fact | null} */
  #fact = null;

  /** @param {Fact} fact */
  update(fact) {
    this.#fact = fact;
    const { isOverdue, queues, reason, state, text } = fact;
    this.element.dataset.state = state;
    this.element.classList.toggle("overdue", isOverdue);
    setText(this.#state, text);
    setText(this.#reason, reason);
    this.#reason.title = reason;
    const title = queues.join(", ");
    if (this.#queues.title === title) return;
    this.#queues.title = title;
    const named = queues.slice(0, MAX_QUEUES).flatMap((queue) => [isolate(queue), " "]);
    const more = queues.length > MAX_QUEUES ? [`+${queues.length - MAX_QUEUES}`] : [];
    this.#queues.replaceChildren(create("span", { className: "visually-hidden" }, "in "), ...named, ...more);
  }

  /** @param {number} now */
  tick(now) {
    if (this.#fact === null) return;
    const { isOverdue, member, since, state } = this.#fact;
    setText(this.#time, since === null ? "" : formatDuration(now - since));
    // A person who is paused in one queue can be in wrap-up in another.
    const isOwn = state === "paused" ? member.paused : state === "wrap_up";
    const deadline = isOwn ? deadlineText(state === "paused" ? { ...member, state } : member, now) : "";
    setText(this.#deadlineText, isOverdue ? overText(member) : deadline);
    this.#deadline.title = isOverdue ? deadline : "";
  }
}
