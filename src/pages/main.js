// The page as a story: log in, show the board, log out.

import { setUpDialog } from "./dialog.js";
import { byId, say } from "./dom.js";
import { Session } from "./session.js";
import { apply, load, openSettings, save } from "./settings.js";

// For this tab only, and only where the user wants that; else it is in memory alone.
const SESSION = "ami-bridge.session";

// What is said after a page that had shown a board has begun anew.
const FAREWELL = "ami-bridge.farewell";

const preferences = load();
let session = null;

function begin(credentials, { keep, entered }) {
  session = new Session({
    credentials,
    preferences,
    entered,
    owner: {
      entered() {
        if (keep) store(SESSION, JSON.stringify(credentials));
        // The password stays in no field.
        byId("login-form").reset();
        byId("login").hidden = true;
        byId("app").hidden = false;
        byId("logout").title = `Log out ${credentials.username}`;
        byId("board").focus({ preventScroll: true });
      },
      refused(message, hadEntered) {
        session = null;
        if (hadEntered) leave(message);
        else askAgain(message);
      },
    },
  });
}

// The storage of this tab, which a browser may refuse.
function store(key, text) {
  try {
    if (text === "") sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, text);
  } catch {
    // Then a reload asks for the password again.
  }
}

function stored(key) {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

// A page that has shown a board begins anew: nothing of it may stay.
function leave(message = "") {
  store(SESSION, "");
  store(FAREWELL, message);
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
    begin(credentials, { keep: keep.checked, entered: false });
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

const known = stored(SESSION);
if (known !== "") {
  begin(JSON.parse(known), { keep: true, entered: true });
} else {
  askAgain(stored(FAREWELL));
  store(FAREWELL, "");
}
