// The stream of events: read with fetch, since an EventSource can't send the
// password in a header, and come back to for as long as the page is open.

import { refusal } from "./api.js";

// A comment comes every 15 seconds: after this long without one, the link is lost,
// whatever the browser believes.
const SILENCE = 40_000;

// A link that held for so long was a good one.
const LASTING = 10_000;

// Parses `text/event-stream`. A snapshot of many megabytes comes in many pieces:
// they are kept apart until their line is whole, so that none is copied twice.
export class EventParser {
  #pieces = [];
  #data = [];
  #event = "";
  #first = true;
  #afterReturn = false;
  lastId = "";

  // Takes a piece of text; returns the events that it completes.
  push(text) {
    const events = [];
    if (this.#first && text !== "") {
      this.#first = false;
      if (text.startsWith("\uFEFF")) text = text.slice(1);
    }
    // A line feed that belongs to the carriage return before it.
    if (this.#afterReturn && text.startsWith("\n")) text = text.slice(1);
    if (text !== "") this.#afterReturn = false;
    let start = 0;
    const end = /\r\n|\r|\n/g;
    for (let match; (match = end.exec(text)) !== null; ) {
      const line = this.#pieces.join("") + text.slice(start, match.index);
      this.#pieces = [];
      start = end.lastIndex;
      this.#afterReturn = match[0] === "\r" && start === text.length;
      const event = this.#line(line);
      if (event !== null) events.push(event);
    }
    if (start < text.length) this.#pieces.push(text.slice(start));
    return events;
  }

  #line(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.lastId = value;
    return null;
  }

  #dispatch() {
    const data = this.#data;
    const type = this.#event || "message";
    this.#data = [];
    this.#event = "";
    return data.length === 0 ? null : { type, data: data.join("\n"), id: this.lastId };
  }
}

// How long to wait before the next attempt: twice as long each time, up to a
// quarter of a minute, spread so that a hundred pages don't all come at once.
export function backOff(attempt, retryAfter, random = Math.random()) {
  const longest = Math.min(15_000, 500 * 2 ** Math.min(attempt, 10));
  return Math.max(retryAfter * 1000, longest / 2 + (longest / 2) * random);
}

// Tells its owner:
//   event({type, data})           data is parsed already
//   link({state: "open"})
//   link({state: "lost", refusal, next, heard})   next: when it tries again, or null for
//                                 never; heard: when something last came
export class EventStream {
  #owner;
  #api;
  #abort = null;
  #wake = null;
  #lastId = "";
  #heard = 0;
  #open = false;
  #ended = false;

  constructor(api, owner) {
    this.#api = api;
    this.#owner = owner;
  }

  // Runs until `end`, or until the bridge refuses this user.
  async run() {
    for (let attempt = 0; !this.#ended; attempt += 1) {
      const began = Date.now();
      const reason = await this.#once();
      if (this.#ended) return;
      // A link that has lasted; one that breaks at once is not to be hammered.
      if (Date.now() - began > LASTING) attempt = 0;
      const final = ["unauthorized", "forbidden"].includes(reason.code);
      const pause = final ? null : backOff(attempt, reason.retryAfter);
      const next = final ? null : Date.now() + pause;
      this.#owner.link({ state: "lost", refusal: reason, next, heard: this.#heard });
      if (final) return;
      await this.#sleep(pause);
    }
  }

  // Tries again now, where it waits; where the stream is silent, as after the
  // computer has slept, it does not wait for the silence to be noticed.
  wake() {
    if (this.#wake) this.#wake();
    else if (this.#open && Date.now() - this.#heard > SILENCE) this.#abort?.abort();
  }

  end() {
    this.#ended = true;
    this.#abort?.abort();
    this.#wake?.();
  }

  async #once() {
    const abort = new AbortController();
    this.#abort = abort;
    const began = Date.now();
    const watch = setInterval(() => {
      if (Date.now() - Math.max(began, this.#heard) > SILENCE) abort.abort();
    }, 5000);
    try {
      const response = await this.#api.events(this.#lastId, abort.signal);
      this.#open = true;
      this.#owner.link({ state: "open" });
      return refusal(await this.#read(response.body));
    } catch (error) {
      return error.code ? error : refusal("unreachable");
    } finally {
      clearInterval(watch);
      this.#open = false;
      abort.abort();
    }
  }

  // Reads to the end; returns what the end means.
  async #read(body) {
    let meaning = "stream_ended";
    const parser = new EventParser();
    parser.lastId = this.#lastId;
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.#ended) return meaning;
      this.#heard = Date.now();
      for (const { type, data, id } of parser.push(value)) {
        if (type === "shutdown") meaning = "shutdown";
        else this.#owner.event({ type, data: JSON.parse(data) });
        // Only now: an event that could not be used is asked for again.
        this.#lastId = id;
      }
    }
  }

  #sleep(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    }).finally(() => {
      this.#wake = null;
    });
  }
}
