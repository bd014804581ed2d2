// The event stream. It is read with fetch, because an EventSource can't send the password in a
// header. Like an EventSource, it reconnects while the page is open.

import { ApiError, localError } from "./api.js";

/**
 * @import { BridgeEvent } from "../bridge"
 * @import { Api, LocalCode } from "./api.js"
 */

// The bridge sends a comment every 15 s. After this time without data, in milliseconds, the
// connection is treated as lost, even if the browser has not noticed.
const SILENCE_TIMEOUT = 40_000;

// A connection that lasted this long, in milliseconds, resets the reconnect delay.
const STABLE_AFTER = 10_000;

// The interval between checks for silence, in milliseconds.
const SILENCE_CHECK_INTERVAL = 5000;

/**
 * Parses `text/event-stream`. A snapshot of many megabytes arrives in many chunks. The chunks
 * are joined when the line is complete, so that each chunk is copied only once.
 */
export class EventParser {
  /** @type {string[]} */
  #chunks = [];
  /** @type {string[]} */
  #data = [];
  #event = "";
  #isFirst = true;
  #afterCarriageReturn = false;
  /** The id of the last event. An event without an id has the previous event's id. */
  lastId = "";

  /**
   * Adds text. Returns the events that it completes.
   *
   * @param {string} text
   */
  push(text) {
    const events = [];
    if (this.#isFirst && text !== "") {
      this.#isFirst = false;
      if (text.startsWith("\uFEFF")) text = text.slice(1);
    }
    // This line feed belongs to the carriage return at the end of the previous chunk.
    if (this.#afterCarriageReturn && text.startsWith("\n")) text = text.slice(1);
    if (text !== "") this.#afterCarriageReturn = false;
    let start = 0;
    for (const match of text.matchAll(/\r\n|\r|\n/g)) {
      const line = this.#chunks.join("") + text.slice(start, match.index);
      this.#chunks = [];
      start = match.index + match[0].length;
      this.#afterCarriageReturn = match[0] === "\r" && start === text.length;
      const event = this.#parseLine(line);
      if (event !== null) events.push(event);
    }
    if (start < text.length) this.#chunks.push(text.slice(start));
    return events;
  }

  /** @param {string} line */
  #parseLine(line) {
    if (line === "") return this.#finishEvent();
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

  #finishEvent() {
    const data = this.#data;
    const type = this.#event || "message";
    this.#data = [];
    this.#event = "";
    return data.length === 0 ? null : { type, data: data.join("\n"), id: this.lastId };
  }
}

/**
 * Returns the delay before the next attempt, in milliseconds. The delay doubles with each
 * attempt, up to 15 s. It is partly random, so that a hundred pages do not reconnect at the
 * same time.
 *
 * @param {number} attempt
 * @param {number} retryAfter the minimum delay that the bridge requires, in seconds
 * @param {number} [random] between 0 and 1
 */
export function reconnectDelay(attempt, retryAfter, random = Math.random()) {
  const longest = Math.min(15_000, 500 * 2 ** Math.min(attempt, 10));
  return Math.max(retryAfter * 1000, longest / 2 + (longest / 2) * random);
}

/**
 * @typedef {object} Connected
 * @property {true} connected
 *
 * @typedef {object} Disconnected
 * @property {false} connected
 * @property {ApiError} error
 * @property {number | null} nextAttempt when the stream reconnects, or null if never
 * @property {number} lastReceived when data last arrived; 0 if never
 *
 * @typedef {object} StreamListener
 * @property {(event: BridgeEvent) => void} onEvent
 * @property {(status: Connected | Disconnected) => void} onConnection
 */

export class EventStream {
  #api;
  #listener;
  /** @type {AbortController | null} */
  #abort = null;
  /**
   * Ends the wait before the next attempt; null if the stream is not waiting.
   *
   * @type {(() => void) | null}
   */
  #endWait = null;
  #lastId = "";
  #lastReceived = 0;
  #isOpen = false;
  #hasEnded = false;

  /**
   * @param {Api} api
   * @param {StreamListener} listener
   */
  constructor(api, listener) {
    this.#api = api;
    this.#listener = listener;
  }

  /** Reads events until `end` is called, or until the bridge rejects the user. */
  async run() {
    for (let attempt = 0; !this.#hasEnded; attempt += 1) {
      const startedAt = Date.now();
      const error = await this.#readOnce();
      if (this.#hasEnded) return;
      if (Date.now() - startedAt > STABLE_AFTER) attempt = 0;
      const delay = error.code === "silent" ? 0 : reconnectDelay(attempt, error.retryAfter);
      this.#listener.onConnection({
        connected: false,
        error,
        nextAttempt: error.isRejection ? null : Date.now() + delay,
        lastReceived: this.#lastReceived,
      });
      if (error.isRejection) return;
      await this.#wait(delay);
    }
  }

  /**
   * Reconnects immediately if the stream is waiting before the next attempt, or if no data has
   * arrived for too long, for example after the computer has slept.
   */
  wake() {
    if (this.#endWait) this.#endWait();
    else if (this.#isOpen && Date.now() - this.#lastReceived > SILENCE_TIMEOUT) this.#abort?.abort();
  }

  end() {
    this.#hasEnded = true;
    this.#abort?.abort();
    this.#endWait?.();
  }

  /**
   * Connects, and reads events until the connection ends. Returns the error that ended the
   * connection.
   */
  async #readOnce() {
    const abort = new AbortController();
    this.#abort = abort;
    const startedAt = Date.now();
    const silenceCheck = setInterval(() => {
      if (Date.now() - Math.max(startedAt, this.#lastReceived) > SILENCE_TIMEOUT) abort.abort();
    }, SILENCE_CHECK_INTERVAL);
    try {
      const response = await this.#api.events(this.#lastId, abort.signal);
      this.#isOpen = true;
      this.#listener.onConnection({ connected: true });
      return localError(await this.#readEvents(response));
    } catch (error) {
      if (error instanceof ApiError) return error;
      return localError(abort.signal.aborted ? "silent" : "unreachable");
    } finally {
      clearInterval(silenceCheck);
      this.#isOpen = false;
      abort.abort();
    }
  }

  /**
   * Reads events until the response ends. Returns the code of the error to report.
   *
   * @param {Response} response
   */
  async #readEvents({ body }) {
    /** @type {LocalCode} */
    let code = "stream_ended";
    if (body === null) return code;
    const parser = new EventParser();
    parser.lastId = this.#lastId;
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.#hasEnded) return code;
      this.#lastReceived = Date.now();
      for (const { type, data, id } of parser.push(value)) {
        if (type === "shutdown") code = "shutdown";
        else this.#listener.onEvent(/** @type {BridgeEvent} */ ({ type, data: JSON.parse(data) }));
        // The id is set after the event is handled. If handling fails, the bridge sends the
        // event again.
        this.#lastId = id;
      }
    }
  }

  /** @param {number} milliseconds */
  async #wait(milliseconds) {
    await new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endWait = null;
  }
}
