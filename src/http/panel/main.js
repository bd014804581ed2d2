// The page as a story: log in, follow the stream, show the board.

import { Api } from "./api.js";
import { Changes } from "./changes.js";
import { setUpDialog } from "./dialog.js";
import { byId, say } from "./dom.js";
import { LinkNotice } from "./notices.js";
import { apply, load, openSettings, save } from "./settings.js";
import { Board } from "./state.js";
import { EventStream } from "./stream.js";
import { Clock } from "./time.js";
import { View } from "./view.js";

// For this tab only, and only where the user wants that; else it is in memory alone.
const SESSION = "ami-bridge.session";

// The events bring the figures of queues in which something happens; of the others
// they come from here.
const FIGURES = 30_000;

const preferences = load();
const clock = new Clock();
let session = null;

class Session {
  #credentials;
  #keep;
  #entered = false;
  #heard = 0;
  #board = new Board();
  // From when the user is let in.
  #view = null;
  #notice = null;

  constructor(credentials, keep, entered) {
    this.#credentials = credentials;
    this.#keep = keep;
    this.api = new Api(document.documentElement.dataset.api, credentials, clock);
    this.changes = new Changes(this.api, this.#board, preferences);
    this.stream = new EventStream(this.api, this);
    if (entered) this.#enter();
    this.stream.run();
  }

  refresh() {
    this.#view?.refresh();
  }

  event({ type, data }) {
    this.#heard = Date.now();
    const change = this.#board.apply({ type, data }, clock.now());
    if (type === "snapshot") this.#figures();
    if (type === "snapshot" || type === "pbx") this.#status();
    if (change) this.#view.changed(change);
  }

  link(link) {
    if (link.state === "open") {
      if (!this.#entered) this.#enter();
      this.#board.connected = true;
      this.#status();
      return;
    }
    const { code, message } = link.refusal;
    const refused = code === "unauthorized" || code === "forbidden";
    // With the right password the telephone system may still be away.
    const admitted = this.#entered || code === "pbx_unavailable";
    if (refused || !admitted) {
      this.stream.end();
      session = null;
      forget();
      // A page that has shown a board begins anew: nothing of it may stay.
      if (this.#entered) leave(message);
      else askAgain(message);
      return;
    }
    if (!this.#entered) this.#enter();
    this.#view.live(false);
    this.#notice.lost({ ...link, heard: this.#board.loaded ? link.heard : 0 });
  }

  #enter() {
    this.#entered = true;
    this.#view = new View(this.#board, clock, preferences);
    this.#notice = new LinkNotice(() => this.stream.wake());
    setInterval(() => this.#figures(), FIGURES);
    if (this.#keep) remember(this.#credentials);
    // The password stays in no field.
    byId("login-form").reset();
    byId("login").hidden = true;
    byId("app").hidden = false;
    byId("logout").title = `Log out ${this.#credentials.username}`;
    this.#notice.connecting();
    this.#view.refresh();
    byId("board").focus({ preventScroll: true });
  }

  #status() {
    const live = this.#board.connected && this.#board.loaded;
    if (live) this.#notice.live();
    else if (this.#board.connected) this.#notice.connecting();
    else this.#notice.unlinked(this.#board.loaded ? this.#heard : 0);
    this.#view.live(live);
  }

  async #figures() {
    if (!this.#board.loaded || !this.#board.connected) return;
    try {
      const { queues } = await this.api.read({ action: "showqueuestat" });
      this.#board.figures(queues);
      this.#view.refresh();
    } catch {
      // The board lives without them, and the stream says if the link is lost.
    }
  }
}

function remember(credentials) {
  try {
    sessionStorage.setItem(SESSION, JSON.stringify(credentials));
  } catch {
    // Then a reload asks for the password again.
  }
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(SESSION));
  } catch {
    return null;
  }
}

function forget() {
  try {
    sessionStorage.removeItem(SESSION);
  } catch {
    // There is nothing then.
  }
}

const FAREWELL = "ami-bridge.farewell";

function leave(message = "") {
  forget();
  if (message !== "") sessionStorage.setItem(FAREWELL, message);
  location.reload();
}

function askAgain(message = "") {
  byId("app").hidden = true;
  byId("login").hidden = false;
  const form = byId("login-form");
  const error = byId("login-error");
  say(error, message);
  error.hidden = message === "";
  form.querySelector("button").disabled = false;
  form.elements[message === "" ? "username" : "password"].focus();
}

function setUpLogin() {
  byId("login-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    form.querySelector("button").disabled = true;
    const { username, password, keep } = form.elements;
    const credentials = { username: username.value, password: password.value };
    session = new Session(credentials, keep.checked, false);
  });
}

function setUpTools() {
  byId("add").addEventListener("click", () => session?.changes.add());
  byId("cards").addEventListener("click", ({ target }) => session?.changes.clicked(target));
  byId("settings").addEventListener("click", () =>
    openSettings(preferences, () => {
      apply(preferences);
      session?.refresh();
    }),
  );
  byId("logout").addEventListener("click", () => leave());
  byId("wall").addEventListener("click", () => {
    preferences.wall = !preferences.wall;
    save(preferences);
    showWall();
    session?.refresh();
  });
}

let awake = null;

// A wall screen is not to go dark, where the browser can see to that.
async function showWall() {
  apply(preferences);
  byId("wall").setAttribute("aria-pressed", String(preferences.wall));
  const wanted = preferences.wall && document.visibilityState === "visible";
  if (!wanted) {
    await awake?.release().catch(() => {});
    awake = null;
  } else if (awake === null || awake.released) {
    awake = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
  }
}

setUpLogin();
setUpTools();
setUpDialog();
showWall();
document.addEventListener("visibilitychange", () => {
  showWall();
  if (document.visibilityState === "visible") session?.stream.wake();
});
window.addEventListener("online", () => session?.stream.wake());

const known = remembered();
if (known) {
  session = new Session(known, true, true);
} else {
  const farewell = sessionStorage.getItem(FAREWELL) ?? "";
  sessionStorage.removeItem(FAREWELL);
  askAgain(farewell);
}
