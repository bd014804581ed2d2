// What the page says by itself: how the link is, and how a change went.

import { byId, icon, make, say } from "./dom.js";
import { timeOfDay } from "./time.js";

// Good news goes by itself; bad news stays until it is read.
const TOAST = 5000;

export class LinkNotice {
  #next = null;
  #timer = null;

  constructor(tryNow) {
    byId("banner").querySelector("button").addEventListener("click", tryNow);
  }

  live() {
    this.#pill("live", "Live");
    this.#banner(null);
  }

  connecting() {
    this.#pill("", "Connecting…");
    this.#banner(null);
  }

  // The bridge is there, and its telephone system is not.
  unlinked(since) {
    this.#pill("lost", "No telephone system");
    this.#banner("The telephone system is not connected.", shownWords(since));
  }

  // The bridge is not there, or refuses.
  lost({ refusal, next, heard }) {
    const down = refusal.code === "pbx_unavailable";
    this.#pill("lost", down ? "No telephone system" : "Connection lost");
    const title = down ? "The telephone system is not connected." : "The connection is lost.";
    const reason = down ? "" : `${refusal.message} `;
    this.#banner(title, reason + shownWords(heard), next);
  }

  #pill(state, words) {
    byId("link").dataset.state = state;
    say(byId("link").querySelector("span"), words);
  }

  #banner(title, words = "", next = null) {
    const banner = byId("banner");
    banner.hidden = title === null;
    clearInterval(this.#timer);
    if (title === null) return;
    say(banner.querySelector("strong"), title);
    say(banner.querySelector("span"), words);
    const button = banner.querySelector("button");
    button.hidden = next === null;
    this.#next = next;
    if (next === null) return;
    // On the button, outside of what a screen reader is told each time it changes.
    const countDown = () => {
      const seconds = Math.max(0, Math.ceil((this.#next - Date.now()) / 1000));
      say(button, seconds > 0 ? `Try now (${seconds})` : "Trying…");
    };
    button.setAttribute("aria-label", "Try now");
    button.setAttribute("aria-live", "off");
    countDown();
    this.#timer = setInterval(countDown, 500);
  }
}

function shownWords(since) {
  return since ? `What you see is as it was at ${timeOfDay(since)}.` : "";
}

// Says how something went. `parts` are strings and elements.
export function toast(parts, { bad = false } = {}) {
  const close = make("button", { type: "button", className: "icon", title: "Dismiss" }, icon("close"));
  close.append(make("span", { className: "unseen" }, "Dismiss"));
  const note = make("div", { className: bad ? "toast bad" : "toast" }, make("span", {}, ...[parts].flat()), close);
  close.addEventListener("click", () => note.remove());
  if (!bad) setTimeout(() => note.remove(), TOAST);
  byId("toasts").append(note);
}
