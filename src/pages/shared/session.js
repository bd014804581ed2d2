// A session, from login to logout. The stream updates the state, the state updates the page,
// and the page shows the connection state.

import { createApi } from "./api.js";
import { ConnectionNotice } from "./notices.js";
import { Reasons } from "./reasons.js";
import { Rights } from "./rights.js";
import { Board } from "./state.js";
import { EventStream } from "./stream.js";
import { Clock } from "./time.js";

/**
 * @import { BridgeEvent, Credentials, Token } from "../bridge"
 * @import { BoardUpdate } from "./state.js"
 * @import { Connected, Disconnected } from "./stream.js"
 *
 * @typedef {object} Page the part of the page that shows the state
 * @property {(update: BoardUpdate) => void} update draws a state change
 * @property {() => void} refresh draws everything
 * @property {(isLive: boolean) => void} setLive sets whether the page receives events
 *
 * @typedef {object} Notice the part of the page that shows the connection state
 * @property {() => void} showLive
 * @property {() => void} showConnecting
 * @property {(displayedSince: number) => void} showPbxLost
 * @property {(status: Disconnected, displayedSince: number) => void} showLost
 *
 * @typedef {object} SessionOptions
 * @property {Credentials | Token} credentials
 * @property {boolean} showImmediately whether to show the page before the bridge has responded
 * @property {boolean} readsStatistics whether the page shows statistics
 * @property {(session: Session) => Page} createPage shows the page, and returns it
 * @property {boolean} [isReadOnly] whether the page can make no changes, and therefore needs
 *   neither the reasons nor the user's rights
 * @property {(session: Session) => Notice} [createNotice] the default is a `ConnectionNotice`
 * @property {(message: string, wasPageShown: boolean, code: string) => void} onRejected called when
 *   the bridge has rejected the login, which ends the session
 */

// Events contain statistics only for queues that change. The page therefore also reads the
// statistics of all queues at this interval, in milliseconds.
const STATISTICS_INTERVAL = 30_000;

export class Session {
  #options;
  #lastEvent = 0;
  /**
   * The parts of the page that exist after the login; null before the login.
   *
   * @type {{ view: Page, notice: Notice } | null}
   */
  #page = null;
  clock = new Clock();
  board = new Board();

  /** @param {SessionOptions} options */
  constructor(options) {
    this.#options = options;
    this.api = createApi(options.credentials, this.clock);
    this.reasons = new Reasons(this.api);
    this.rights = new Rights(this.api);
    this.stream = new EventStream(this.api, {
      onEvent: (event) => this.#applyEvent(event),
      onConnection: (status) => this.#showConnection(status),
    });
    if (options.showImmediately) this.#showPage();
    this.stream.run();
  }

  /** Redraws the page, for example after the preferences have changed. */
  refresh() {
    this.#page?.view.refresh();
  }

  /** @param {BridgeEvent} event */
  #applyEvent(event) {
    this.#lastEvent = Date.now();
    const update = this.board.apply(event, this.clock.now());
    if (event.type === "snapshot") {
      if (!this.#options.isReadOnly) {
        this.reasons.refresh();
        this.rights.refresh().then(() => this.refresh());
      }
      if (this.#options.readsStatistics) this.#readStatistics();
    }
    if (event.type === "snapshot" || event.type === "pbx") this.#showStatus();
    this.#page?.view.update(update);
  }

  /** @param {Connected | Disconnected} status */
  #showConnection(status) {
    if (status.connected) {
      this.#showPage();
      this.board.isPbxConnected = true;
      this.#showStatus();
      return;
    }
    const { code, isRejection, message } = status.error;
    const wasPageShown = this.#page !== null;
    // The bridge responds with pbx_unavailable only after it has accepted the login.
    if (isRejection || !(wasPageShown || code === "pbx_unavailable")) {
      this.stream.end();
      this.#options.onRejected(message, wasPageShown, code);
      return;
    }
    const { view, notice } = this.#showPage();
    view.setLive(false);
    notice.showLost(status, this.board.isLoaded ? status.lastReceived : 0);
  }

  /** Shows the page, unless it is already shown. */
  #showPage() {
    if (this.#page) return this.#page;
    const view = this.#options.createPage(this);
    const notice = this.#options.createNotice?.(this) ?? new ConnectionNotice(() => this.stream.wake());
    this.#page = { view, notice };
    if (this.#options.readsStatistics) setInterval(() => this.#readStatistics(), STATISTICS_INTERVAL);
    notice.showConnecting();
    view.refresh();
    return this.#page;
  }

  #showStatus() {
    if (!this.#page) return;
    const { view, notice } = this.#page;
    const { isLoaded, isPbxConnected } = this.board;
    if (!isPbxConnected) notice.showPbxLost(isLoaded ? this.#lastEvent : 0);
    else if (isLoaded) notice.showLive();
    else notice.showConnecting();
    view.setLive(isPbxConnected && isLoaded);
  }

  async #readStatistics() {
    if (!this.board.isLoaded || !this.board.isPbxConnected) return;
    try {
      const { queues } = await this.api.read({ action: "showqueuestat" });
      this.board.applyStatistics(queues);
      this.refresh();
    } catch {
      // The page works without statistics. If the connection is lost, the stream reports it.
    }
  }
}

/**
 * Reconnects the session's stream when the page becomes visible, or the computer is online again.
 *
 * @param {() => Session | null} session
 */
export function wakeWithPage(session) {
  const wake = () => session()?.stream.wake();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") wake();
  });
  window.addEventListener("online", wake);
}
