// What a supervisor can do: pause, resume, add and remove, each in a dialog of its own.

import { nameOf } from "./agent-row.js";
import { failures } from "./api.js";
import { ask, check, choice, field, freeText } from "./dialog.js";
import { make, name } from "./dom.js";
import { toast } from "./notices.js";
import { count } from "./time.js";

// So many queues fit into one request.
const MOST = 100;

export class Changes {
  #api;
  #board;
  #preferences;

  constructor(api, board, preferences) {
    this.#api = api;
    this.#board = board;
    this.#preferences = preferences;
  }

  // A click on something in the cards.
  clicked(target) {
    const queue = target.closest(".card")?.dataset.queue;
    const address = target.closest(".agent")?.dataset.interface;
    const member = this.#board.queues.get(queue)?.members.get(address);
    if (target.closest(".content .add")) this.add(queue);
    else if (!member) return;
    else if (target.closest(".remove")) this.#remove(queue, member.data);
    else if (!target.closest(".pause")) return;
    else if (member.data.paused) this.#resume(queue, member.data);
    else this.#pause(queue, member.data);
  }

  #pause(queue, agent) {
    const reasons = this.#preferences.reasons.map((reason) => [reason, name(reason)]);
    const other = freeText({ name: "other", maxLength: 79 });
    const chips = choice("Reason", "reason", [...reasons, ["", "None"]], { chips: true });
    // Whoever types means what is typed.
    other.addEventListener("input", () => {
      for (const input of chips.querySelectorAll("input")) input.checked = false;
    });
    chips.addEventListener("change", () => {
      other.value = "";
      other.setCustomValidity("");
    });
    ask({
      title: ["Pause ", name(nameOf(agent))],
      submit: "Pause",
      body: [chips, field("Another reason", other), ...this.#scope(queue, agent)],
      send: async (form) => {
        const reason = form.get("other").trim() || form.get("reason") || "";
        const parameters = { action: "pause", agent: agent.agent, ...scopeOf(form, queue) };
        if (reason !== "") parameters.reason = reason;
        await this.#send(parameters, (queues) => [
          name(nameOf(agent)), ` is paused in ${queues}`, ...(reason ? [": ", name(reason)] : []), ".",
        ]);
      },
    });
  }

  #resume(queue, agent) {
    const done = (queues) => [name(nameOf(agent)), ` takes calls again in ${queues}.`];
    const parameters = { action: "unpause", agent: agent.agent };
    if (this.#queuesOf(agent).length === 1) {
      // Nothing to choose: no question.
      this.#send({ ...parameters, queue }, done).catch((problem) => toast(problem.message, { bad: true }));
      return;
    }
    ask({
      title: ["Resume ", name(nameOf(agent))],
      submit: "Resume",
      body: this.#scope(queue, agent),
      send: (form) => this.#send({ ...parameters, ...scopeOf(form, queue) }, done),
    });
  }

  #remove(queue, agent) {
    const queues = this.#queuesOf(agent);
    const scope = this.#scope(queue, agent, "one");
    const text = make("p", {}, "The agent gets no more calls of queue ", name(queue), " until added again.");
    ask({
      title: ["Remove ", name(nameOf(agent))],
      submit: "Remove",
      body: queues.length > 1 && queues.length <= MOST ? scope : [text],
      send: (form) => {
        const from = form.get("scope") === "all" ? queues.join(",") : queue;
        const parameters = { action: "remove", agent: agent.agent, queue: from };
        return this.#send(parameters, (words) => [name(nameOf(agent)), ` is removed from ${words}.`]);
      },
    });
  }

  add(queue = "") {
    const list = make("datalist", { id: "known-queues" });
    for (const { id, name: label } of this.#board.queues.values()) {
      list.append(make("option", { value: id }, label));
    }
    const agent = make("input", {
      name: "agent", required: true, maxLength: 32, autocomplete: "off", inputMode: "tel", dir: "ltr",
      pattern: "[A-Za-z0-9_][A-Za-z0-9_.\\-]*", title: "Digits and letters, without spaces", data: { first: "" },
    });
    const queues = make("input", { name: "queue", required: true, autocomplete: "off", value: queue, dir: "ltr" });
    queues.setAttribute("list", list.id);
    const reason = freeText({ name: "reason", maxLength: 79 });
    const reasonField = field("Reason", reason);
    reasonField.hidden = true;
    const paused = check("paused", "Paused at first, and not rung until resumed");
    paused.addEventListener("change", ({ target }) => {
      reasonField.hidden = !target.checked;
    });
    ask({
      title: "Add an agent",
      submit: "Add",
      body: [
        make("div", { className: "row" }, field("Phone number", agent), field("Queue", queues)),
        list,
        field("Name", freeText({ name: "alias", maxLength: 79 }), "shown instead of the number"),
        paused,
        reasonField,
      ],
      send: (form) => this.#add(form),
    });
  }

  #add(form) {
    const text = (key) => (form.get(key) ?? "").trim();
    const queue = text("queue").split(/[\s,]+/).filter(Boolean).join(",");
    const parameters = { action: "add", agent: text("agent"), queue };
    if (text("alias")) parameters.alias = text("alias");
    if (form.get("paused")) {
      parameters.paused = "true";
      if (text("reason")) parameters.reason = text("reason");
    }
    const shown = parameters.alias ?? parameters.agent;
    return this.#send(parameters, (queues) => [name(shown), ` is added to ${queues}.`]);
  }

  // Where it is meant: in every queue of the agent, or only here.
  #scope(queue, agent, chosen = "all") {
    const { length } = this.#queuesOf(agent);
    if (length <= 1) return [];
    const here = make("span", {}, "Only in queue ", name(queue));
    return [choice("Where", "scope", [["all", `In all ${length} queues of this agent`], ["one", here]], { chosen })];
  }

  #queuesOf({ agent }) {
    const has = ({ members }) => [...members.values()].some(({ data }) => data.agent === agent);
    return [...this.#board.queues.values()].filter(has).map(({ id }) => id);
  }

  async #send(parameters, words) {
    const answer = await this.#api.change(parameters);
    const rows = answer.queues ?? [];
    const done = rows.filter((row) => row.result === "ok");
    const queues = done.length === 1 ? `queue ${done[0].queue}` : count(done.length, "queue");
    const failed = failures(answer);
    toast([...words(queues), ...failed.map((message) => ` ${message}`)], { bad: failed.length > 0 });
  }
}

function scopeOf(form, queue) {
  // Without a choice there is one queue, and it is the one meant.
  return form.get("scope") === "all" ? {} : { queue };
}
