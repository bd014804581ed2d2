// A session, from login to logout. The stream updates the board, the board updates the page,
// and the page shows the connection state.

import { Api } from "./api.js";
import { Changes } from "./changes.js";
import { ConnectionNotice } from "./notices.js";
import { Reasons } from "./reasons.js";
import { Board } from "./state.js";
import { EventStream } from "./stream.js";
import { Clock } from "./time.js";
import { View } from "./view.js";

/**
 * @import { BridgeEvent, Credentials, Preferences } from "./bridge"
 * @import { Connected, Disconnected } from "./stream.js"
 *
 * @typedef {object} SessionListener
 * @property {() => void} onBoardShown called when the session shows the board
 * @property {(message: string, wasBoardShown: boolean) => void} onRejected called when the bridge
 *   has rejected the login, which ends the session
 */

// Events contain statistics only for queues that change. The page therefore also reads the
// statistics of all queues at this interval, in milliseconds.
const STATISTICS_INTERVAL = 30_000;

export class Session {
  #listener;
  #preferences;
  #reasons;
  #clock = new Clock();
  #lastEvent = 0;
  #board = new Board();
  /**
   * The parts of the page that exist after the login; null before the login.
   *
   * @type {{ view: View, notice: ConnectionNotice } | null}
   */
  #page = null;

  /**
   * @param {object} options
   * @param {Credentials} options.credentials
   * @param {Preferences} options.preferences
   * @param {boolean} options.showImmediately whether to show the board before the bridge has
   *   responded, for stored credentials
   * @param {SessionListener} options.listener
   */
  constructor({ credentials, preferences, showImmediately, listener }) {
    this.#listener = listener;
    this.#preferences = preferences;
    const path = document.documentElement.dataset.interface ?? "";
    this.api = new Api(path, credentials, this.#clock);
    this.#reasons = new Reasons(this.api);
    this.changes = new Changes(this.api, this.#board, this.#reasons);
    this.stream = new EventStream(this.api, {
      onEvent: (event) => this.#applyEvent(event),
      onConnection: (status) => this.#showConnection(status),
    });
    if (showImmediately) this.#showBoard();
    this.stream.run();
  }

  /** Redraws the board, for example after the preferences have changed. */
  refresh() {
    this.#page?.view.refresh();
  }

  /** @param {BridgeEvent} event */
  #applyEvent(event) {
    this.#lastEvent = Date.now();
    const update = this.#board.apply(event, this.#clock.now());
    if (event.type === "snapshot") {
      this.#reasons.refresh();
      this.#readStatistics();
    }
    if (event.type === "snapshot" || event.type === "pbx") this.#showStatus();
    this.#page?.view.update(update);
  }

  /** @param {Connected | Disconnected} status */
  #showConnection(status) {
    if (status.connected) {
      this.#showBoard();
      this.#board.isPbxConnected = true;
      this.#showStatus();
      return;
    }
    const { code, message } = status.error;
    const wasBoardShown = this.#page !== null;
    const isRejected = code === "unauthorized" || code === "forbidden";
    // The bridge responds with pbx_unavailable only after it has accepted the login.
    if (isRejected || !(wasBoardShown || code === "pbx_unavailable")) {
      this.stream.end();
      this.#listener.onRejected(message, wasBoardShown);
      return;
    }
    const { view, notice } = this.#showBoard();
    view.setLive(false);
    notice.showLost(status, this.#board.isLoaded ? status.lastReceived : 0);
  }

  /** Shows the board, unless it is already shown. */
  #showBoard() {
    if (this.#page) return this.#page;
    const view = new View(this.#board, this.#clock, this.#preferences);
    const notice = new ConnectionNotice(() => this.stream.wake());
    this.#page = { view, notice };
    setInterval(() => this.#readStatistics(), STATISTICS_INTERVAL);
    this.#listener.onBoardShown();
    notice.showConnecting();
    view.refresh();
    return this.#page;
  }

  #showStatus() {
    if (!this.#page) return;
    const { view, notice } = this.#page;
    const { isLoaded, isPbxConnected } = this.#board;
    if (!isPbxConnected) notice.showPbxLost(isLoaded ? this.#lastEvent : 0);
    else if (isLoaded) notice.showLive();
    else notice.showConnecting();
    view.setLive(isPbxConnected && isLoaded);
  }

  async #readStatistics() {
    if (!this.#board.isLoaded || !this.#board.isPbxConnected) return;
    try {
      const { queues } = await this.api.read({ action: "showqueuestat" });
      this.#board.applyStatistics(queues);
      this.refresh();
    } catch {
      // The board works without statistics. If the connection is lost, the stream reports it.
    }
  }
}
