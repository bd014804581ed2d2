// One queue: what is always shown of it, and, where it is open and near the part of
// the page that is seen, its callers and agents.

import { AgentRow, STATE_WORDS } from "./agent-row.js";
import { arrange, clone, direction, icon, make, say } from "./dom.js";
import { longestSince, tally } from "./state.js";
import { count, duration } from "./time.js";

// More agents than that take the whole width.
const MANY = 12;

export class QueueCard {
  // How many agents stand side by side in a card of the whole width, about.
  static columns = 1;

  element = clone("card");
  #part = (selector) => this.element.querySelector(selector);
  #queue = null;
  #open = false;
  #near = false;
  // Only agents that have this in their words; null: all.
  #narrow = null;
  #rows = new Map();
  #callers = [];
  #parts = null;
  #counts = new Map();

  constructor(queue) {
    this.element.dataset.queue = queue.id;
    const heading = this.#part("h2");
    heading.id = `queue-${queue.id}`;
    this.element.setAttribute("aria-labelledby", heading.id);
    for (const [state, words] of Object.entries(STATE_WORDS)) {
      const number = make("b");
      const label = make("span", { className: "unseen" }, ` ${words.toLowerCase()}`);
      const item = make("li", { title: words, data: { state } }, icon(state), number, label);
      this.#part(".states").append(item);
      this.#counts.set(state, { item, number });
    }
  }

  get queue() {
    return this.#queue;
  }

  // Everything, as after a snapshot.
  update(queue) {
    this.#queue = queue;
    const { id, name } = queue;
    say(this.#part(".toggle .number"), id);
    say(this.#part(".toggle .name"), name === id ? "" : name);
    this.#head();
    if (this.#parts) this.#content();
  }

  // The agent of that interface, or with null the callers and the figures.
  changed(address) {
    this.#head();
    if (!this.#parts) return;
    if (address === null) this.#listCallers();
    else this.#agent(address);
  }

  show({ open, narrow }) {
    const same = open === this.#open && narrow === this.#narrow;
    if (same) return;
    this.#open = open;
    this.#narrow = narrow;
    this.#part(".toggle").setAttribute("aria-expanded", String(open));
    this.element.classList.toggle("open", open);
    this.#draw();
  }

  get isOpen() {
    return this.#open;
  }

  // Whether it is near enough to what is seen to be worth its agents.
  near(near) {
    if (near === this.#near) return;
    this.#near = near;
    this.#draw();
  }

  tick(now, late) {
    const since = longestSince(this.#queue);
    const isLate = since !== null && now - since >= late;
    this.element.classList.toggle("late", isLate);
    this.#part(".wait").classList.toggle("late", isLate);
    if (since !== null) say(this.#part(".longest time"), duration(now - since));
    for (const row of this.#rows.values()) row.tick(now);
    for (const { element, caller } of this.#callers) {
      say(element.querySelector("time"), duration(now - caller.since));
      element.classList.toggle("late", now - caller.since >= late);
    }
  }

  #head() {
    const queue = this.#queue;
    const waiting = queue.callers.length;
    say(this.#part(".wait strong"), String(waiting));
    this.#part(".wait").classList.toggle("some", waiting > 0);
    this.#part(".longest").hidden = waiting === 0;
    const counts = tally(queue);
    for (const [state, { item, number }] of this.#counts) {
      say(number, String(counts[state] ?? 0));
      item.classList.toggle("none", !counts[state]);
    }
    this.element.classList.toggle("unstaffed", waiting > 0 && !counts.available);
    this.element.classList.toggle("many", queue.members.size > MANY);
    this.#figures();
  }

  #figures() {
    const list = this.#part(".figures");
    const figures = figureTexts(this.#queue.figures);
    if (list.childElementCount !== figures.length) {
      list.replaceChildren(...figures.map(() => make("div", {}, make("dt"), make("dd"))));
    }
    figures.forEach(([term, text], index) => {
      const [dt, dd] = list.children[index].children;
      say(dt, term);
      say(dd, text);
    });
  }

  #draw() {
    const content = this.#part(".content");
    if (this.#open && this.#near) {
      content.style.minHeight = "";
      this.#content();
    } else if (!this.#open) {
      content.style.minHeight = "";
      this.#drop(content);
    } else if (!content.contains(document.activeElement)) {
      // Keeps its place, so that the page does not jump.
      const width = this.#queue.members.size > MANY ? QueueCard.columns : 1;
      const guess = `${6 + (Math.ceil(this.#queue.members.size / width) * 3.6)}rem`;
      content.style.minHeight = this.#parts ? `${content.offsetHeight}px` : guess;
      this.#drop(content);
    }
  }

  #drop(content) {
    content.replaceChildren();
    this.#parts = null;
    this.#rows.clear();
    this.#callers = [];
  }

  #content() {
    const content = this.#part(".content");
    if (!this.#parts) {
      content.replaceChildren(document.getElementById("content").content.cloneNode(true));
      const part = (selector) => content.querySelector(selector);
      this.#parts = { callers: part(".callers"), agents: part(".agents ul"), title: part("h3 span:not(.unseen)") };
      part(".add").append(make("span", { className: "unseen" }, ` an agent to queue ${this.#queue.id}`));
    }
    this.#listCallers();
    const rows = [];
    const gone = new Set(this.#rows.keys());
    for (const [address, member] of this.#queue.members) {
      if (!this.#fits(member)) continue;
      gone.delete(address);
      rows.push(this.#row(address, member).element);
    }
    for (const address of gone) this.#rows.delete(address);
    arrange(this.#parts.agents, rows);
    this.#title();
  }

  #fits(member) {
    return this.#narrow === null || member.words.includes(this.#narrow);
  }

  #row(address, member) {
    const known = this.#rows.get(address);
    if (known) {
      known.update(member);
      return known;
    }
    const row = new AgentRow(member);
    this.#rows.set(address, row);
    return row;
  }

  #agent(address) {
    const member = this.#queue.members.get(address);
    if (member && this.#fits(member)) {
      const { element } = this.#row(address, member);
      if (!element.parentNode) this.#parts.agents.append(element);
    } else {
      this.#rows.get(address)?.element.remove();
      this.#rows.delete(address);
    }
    this.#title();
  }

  #title() {
    const { members } = this.#queue;
    const shown = this.#rows.size;
    const agents = part(shown, members.size, "agent");
    say(this.#parts.title, agents);
    const names = [...members.values()].map(({ data }) => data.alias);
    const dir = direction(names);
    if (this.#parts.agents.dir !== dir) this.#parts.agents.dir = dir;
  }

  #listCallers() {
    const { callers } = this.#queue;
    const section = this.#parts.callers;
    section.hidden = callers.length === 0;
    const list = section.querySelector("ol");
    const known = new Map(this.#callers.map((entry) => [entry.key, entry]));
    this.#callers = callers.map((caller) => {
      const key = caller.data.unique_id ?? caller.data.channel ?? String(caller.data.position);
      const element = known.get(key)?.element ?? clone("caller");
      const { caller_id_name: name, caller_id_number: number, position } = caller.data;
      say(element.querySelector(".position"), String(position ?? ""));
      say(element.querySelector(".name"), name || (number ? "" : "Unknown caller"));
      say(element.querySelector(".number"), number ?? "");
      return { key, element, caller };
    });
    arrange(list, this.#callers.map(({ element }) => element));
    list.dir = direction(callers.map(({ data }) => data.caller_id_name));
  }
}

function part(shown, all, noun) {
  return shown === all ? count(all, noun) : `${shown} of ${count(all, noun)}`;
}

function figureTexts(figures) {
  if (figures === null) return [];
  const number = (value) => (value ?? null) !== null;
  const percent = (value) => `${Math.round(value * 10) / 10} %`;
  const texts = [];
  const add = (term, value, text) => number(value) && texts.push([term, text]);
  add("Answered", figures.completed, String(figures.completed));
  // A share of nothing is nothing, and not a bad day.
  const some = figures.completed + figures.abandoned > 0;
  const share = some && number(figures.abandoned_percent);
  const lost = share ? ` (${percent(figures.abandoned_percent)})` : "";
  add("Abandoned", figures.abandoned, `${figures.abandoned}${lost}`);
  if (!some) return texts;
  const within = `Within ${figures.service_level_seconds} s`;
  add(within, figures.service_level_percent, percent(figures.service_level_percent));
  add("Avg. wait", figures.average_hold_seconds, duration(figures.average_hold_seconds * 1000));
  add("Avg. talk", figures.average_talk_seconds, duration(figures.average_talk_seconds * 1000));
  return texts;
}
