// Messages to the user: the connection state and the results of changes.

import { byId, create, createIcon, find, setText } from "./dom.js";
import { formatTimeOfDay } from "./time.js";

/**
 * @import { Content } from "./dialog.js"
 * @import { Disconnected } from "./stream.js"
 *
 * @typedef {object} Undo
 * @property {string} hint what cannot be undone; empty if everything can
 * @property {() => boolean} run starts to undo the change. Returns false if that has to wait, so that
 *   the button stays
 */

// How long a toast stays visible, in milliseconds. An error stays until the user dismisses it.
const TOAST_DURATION = 5000;

// How long a change can be undone, in milliseconds.
const UNDO_DURATION = 8000;

// The update interval of countdowns, in milliseconds.
const COUNTDOWN_INTERVAL = 500;

/** Shows the connection state in a pill at the top and, after a failure, in a banner. */
export class ConnectionNotice {
  #pill = byId("link");
  #banner = byId("banner");
  #button = find(this.#banner, "button");
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #countdown = undefined;

  /** @param {() => void} reconnect */
  constructor(reconnect) {
    this.#button.addEventListener("click", reconnect);
  }

  showLive() {
    this.#setPill("live", "Live");
    this.#hideBanner();
  }

  showConnecting() {
    this.#setPill("", "Connecting…");
    this.#hideBanner();
  }

  /**
   * Shows that the bridge has no connection to the PBX.
   *
   * @param {number} displayedSince when the displayed state was received; 0 if no state is displayed
   */
  showPbxLost(displayedSince) {
    this.#setPill("lost", "Phone system offline");
    this.#showBanner("The phone system is not connected.", ageText(displayedSince), null);
  }

  /**
   * Shows that the page has no event stream.
   *
   * @param {Disconnected} status
   * @param {number} displayedSince when the displayed state was received; 0 if no state is displayed
   */
  showLost({ error, nextAttempt }, displayedSince) {
    const age = ageText(displayedSince);
    if (error.code === "pbx_unavailable") {
      this.#setPill("lost", "Phone system offline");
      this.#showBanner("The phone system is not connected.", age, nextAttempt);
    } else {
      this.#setPill("lost", "Connection lost");
      this.#showBanner("Connection lost.", `${error.message} ${age}`, nextAttempt);
    }
  }

  /**
   * @param {string} state
   * @param {string} text
   */
  #setPill(state, text) {
    this.#pill.dataset.state = state;
    setText(find(this.#pill, "span"), text);
  }

  #hideBanner() {
    this.#banner.hidden = true;
    clearInterval(this.#countdown);
  }

  /**
   * @param {string} title
   * @param {string} text
   * @param {number | null} nextAttempt when the page reconnects; null hides the button
   */
  #showBanner(title, text, nextAttempt) {
    const button = this.#button;
    this.#banner.hidden = false;
    clearInterval(this.#countdown);
    setText(find(this.#banner, "strong"), title);
    setText(find(this.#banner, "span"), text);
    button.hidden = nextAttempt === null;
    if (nextAttempt === null) return;
    const update = () => {
      const seconds = Math.max(0, Math.ceil((nextAttempt - Date.now()) / 1000));
      setText(button, seconds > 0 ? `Try now (${seconds})` : "Trying…");
    };
    // Prevents screen readers from announcing every second of the countdown.
    button.setAttribute("aria-label", "Try now");
    button.setAttribute("aria-live", "off");
    update();
    this.#countdown = setInterval(update, COUNTDOWN_INTERVAL);
  }
}

/** @param {number} displayedSince */
function ageText(displayedSince) {
  return displayedSince ? `This page shows the state at ${formatTimeOfDay(displayedSince)}.` : "";
}

/**
 * Shows the result of a change: in the open dialog, which covers the rest of the page, or else in the
 * page's place for messages. Returns a function that withdraws the offer to undo the change.
 *
 * @param {Content[]} content
 * @param {object} [options]
 * @param {boolean} [options.isError]
 * @param {Undo | null} [options.undo]
 */
export function toast(content, { isError = false, undo = null } = {}) {
  const close = create("button", { type: "button", className: "icon", title: "Dismiss" }, createIcon("close"));
  close.append(create("span", { className: "visually-hidden" }, "Dismiss"));
  const className = isError ? "toast failed" : "toast";
  const element = create("div", { className }, create("span", {}, ...content), close);
  const dismiss = () => {
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    if (hadFocus) document.querySelector("main")?.focus({ preventScroll: true });
  };
  close.addEventListener("click", dismiss);
  const end = () => {
    if (!isError) dismiss();
  };
  const offer = undo && undoButton(undo, end);
  if (offer) close.before(offer.button);
  else setTimeout(end, TOAST_DURATION);
  const dialog = document.querySelector("dialog[open] .messages");
  (dialog ?? byId("toasts")).append(element);
  return () => offer?.remove();
}

/**
 * Creates the button that undoes a change once, with the seconds that are left. The button removes
 * itself when they are over.
 *
 * @param {Undo} undo
 * @param {() => void} end called when the button is gone
 */
function undoButton({ hint, run }, end) {
  const attributes = { title: hint, ariaLive: "off" };
  const button = create("button", { type: "button", className: "undo", ...attributes }, "Undo ");
  // The seconds are no part of the button's name.
  const countdown = create("span", { ariaHidden: "true" });
  button.append(countdown);
  const last = Date.now() + UNDO_DURATION;
  const remove = () => {
    clearInterval(timer);
    const next = button.nextElementSibling;
    if (document.activeElement === button && next instanceof HTMLElement) next.focus();
    button.remove();
    end();
  };
  const update = () => {
    const seconds = Math.ceil((last - Date.now()) / 1000);
    setText(countdown, `${seconds} s`);
    if (seconds <= 0) remove();
  };
  const timer = setInterval(update, COUNTDOWN_INTERVAL);
  button.addEventListener("click", () => {
    if (button.isConnected && run()) remove();
  });
  update();
  return { button, remove };
}

/**
 * Moves the messages of a closed dialog to the page.
 *
 * @param {Element} messages
 */
export function releaseMessages(messages) {
  byId("toasts").append(...messages.children);
}
