// Messages to the user: the connection state and the results of changes.

import { byId, create, createIcon, find, setText } from "./dom.js";
import { formatTimeOfDay } from "./time.js";

/**
 * @import { Content } from "./dialog.js"
 * @import { Disconnected } from "./stream.js"
 */

// How long a toast stays visible, in milliseconds. An error stays until the user dismisses it.
const TOAST_DURATION = 5000;

// The update interval of the reconnect countdown, in milliseconds.
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
 * Shows the result of a change at the bottom of the page.
 *
 * @param {Content[]} content
 * @param {{ isError?: boolean }} [options]
 */
export function toast(content, { isError = false } = {}) {
  const close = create("button", { type: "button", className: "icon", title: "Dismiss" }, createIcon("close"));
  close.append(create("span", { className: "visually-hidden" }, "Dismiss"));
  const className = isError ? "toast failed" : "toast";
  const element = create("div", { className }, create("span", {}, ...content), close);
  close.addEventListener("click", () => element.remove());
  if (!isError) setTimeout(() => element.remove(), TOAST_DURATION);
  byId("toasts").append(element);
}
