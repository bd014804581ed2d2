// What the board knows: the queues as the events tell of them. Pure: no page, no
// clock of its own, no request.

import { People } from "./people.js";

// A member as the bridge tells of it, and since when it is in its state. `exact` is
// false where the page has only seen it in that state since then.
class Member {
  #words = null;

  constructor(data, since, exact) {
    this.data = data;
    this.since = since;
    this.exact = exact;
  }

  // What it is found by. Not before it is searched for: there may be 50,000.
  get words() {
    const { alias, agent, interface: address } = this.data;
    return (this.#words ??= fold([alias, agent, address].filter(Boolean).join(" ")));
  }
}

// For searching: without regard to case and accents.
export function fold(text) {
  return text.normalize("NFKD").replace(/\p{Mn}/gu, "").toLowerCase();
}

function emptyQueue(id) {
  const words = fold(id);
  return { id, name: id, words, members: new Map(), callers: [], figures: null, counts: null };
}

export class Board {
  queues = new Map();
  people = new People();
  // Whether the bridge has its link to the telephone system.
  connected = true;
  // Whether there was a snapshot at all.
  loaded = false;

  // Applies an event; returns what has changed as
  // `{all: true}`, `{queue, interface}` (null: the queue as a whole), or null.
  apply({ type, data }, now) {
    switch (type) {
      case "snapshot":
        return this.#snapshot(data, now);
      case "member":
        return this.#member(data, now);
      case "queue":
        return this.#queue(data, now);
      case "pbx":
        this.connected = data.connected === true;
        return { link: true };
      default:
        // Of a newer bridge: what it means is not known, and nothing breaks.
        return null;
    }
  }

  // The figures of a showqueuestat.
  figures(queues) {
    for (const figures of queues) {
      const queue = this.queues.get(figures.queue);
      if (queue) queue.figures = figures;
    }
  }

  #snapshot({ queues }, now) {
    const before = this.queues;
    this.queues = new Map();
    this.people = new People();
    for (const told of queues) {
      const old = before.get(told.queue);
      const queue = emptyQueue(told.queue);
      queue.name = told.name ?? told.queue;
      queue.words = fold(`${queue.id} ${queue.name}`);
      queue.figures = old?.figures ?? null;
      for (const data of told.members ?? []) {
        const known = old?.members.get(data.interface);
        queue.members.set(data.interface, this.#seen(data, known, now, true));
        this.people.add(data.interface, data.state);
      }
      queue.callers = (told.callers ?? []).map((caller) => waiting(caller, now));
      this.queues.set(queue.id, queue);
    }
    this.loaded = true;
    return { all: true };
  }

  #member({ queue: id, change, member: data }, now) {
    let queue = this.queues.get(id);
    const isNew = !queue;
    if (isNew) this.queues.set(id, (queue = emptyQueue(id)));
    const known = queue.members.get(data.interface);
    queue.counts = null;
    if (known) this.people.remove(data.interface, known.data.state);
    if (change === "removed") {
      queue.members.delete(data.interface);
    } else {
      this.people.add(data.interface, data.state);
      queue.members.set(data.interface, this.#seen(data, known, now, false));
    }
    return isNew ? { all: true } : { queue: id, interface: data.interface };
  }

  #queue(data, now) {
    const id = data.queue;
    let queue = this.queues.get(id);
    const isNew = !queue;
    if (isNew) this.queues.set(id, (queue = emptyQueue(id)));
    if (Array.isArray(data.callers)) {
      queue.callers = data.callers.map((caller) => waiting(caller, now));
    }
    const { callers, ...figures } = data;
    // Only what it tells: a queue event need not have every figure.
    queue.figures = { ...queue.figures, ...figures };
    return isNew ? { all: true } : { queue: id, interface: null };
  }

  // Since when a member is in its state. The bridge tells it of a pause; of the rest
  // the page knows what it has seen itself.
  #seen(data, known, now, firstSight) {
    if (data.state === "paused" && data.paused_at) {
      return new Member(data, Date.parse(data.paused_at), true);
    }
    if (known && known.data.state === data.state) {
      return new Member(data, known.since, known.exact);
    }
    if (!firstSight) return new Member(data, now, true);
    // Free since the last call, or since it was added, unless it was paused between.
    const free = [data.last_call_at, data.logged_in_at].map((time) => Date.parse(time ?? ""));
    const since = Math.max(...free.filter((time) => time > 0));
    return data.state === "available" && Number.isFinite(since)
      ? new Member(data, since, true)
      : new Member(data, now, false);
  }
}

function waiting(data, now) {
  const words = fold([data.caller_id_number, data.caller_id_name].filter(Boolean).join(" "));
  return { data, since: now - (data.wait_seconds ?? 0) * 1000, words };
}

// How many members are in each state. Counted again only after a change.
export function tally(queue) {
  if (queue.counts === null) {
    queue.counts = {};
    for (const { data } of queue.members.values()) {
      queue.counts[data.state] = (queue.counts[data.state] ?? 0) + 1;
    }
  }
  return queue.counts;
}

// Since when the first caller waits, or null.
export function longestSince(queue) {
  let since = null;
  for (const caller of queue.callers) {
    if (since === null || caller.since < since) since = caller.since;
  }
  return since;
}
