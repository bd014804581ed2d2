// The page: log in, show the board, log out.

import { setUpDialog } from "./dialog.js";
import { byId, find, setText } from "./dom.js";
import { Session } from "./session.js";
import { applyPreferences, loadPreferences, openSettings, savePreferences } from "./settings.js";

/** @import { Credentials } from "./bridge" */

// The sessionStorage key of the credentials. The credentials are stored only if the user
// chooses to be remembered. Otherwise they exist only in memory.
const CREDENTIALS_KEY = "ami-bridge.session";

// The sessionStorage key of a message to show after a reload.
const MESSAGE_KEY = "ami-bridge.message";

const preferences = loadPreferences();
/** @type {Session | null} */
let session = null;

/**
 * @param {Credentials} credentials
 * @param {{ remember: boolean, showImmediately: boolean }} options
 */
function startSession(credentials, { remember, showImmediately }) {
  session = new Session({
    credentials,
    preferences,
    showImmediately,
    listener: {
      onBoardShown() {
        if (remember) store(CREDENTIALS_KEY, JSON.stringify(credentials));
        // Removes the password from the form.
        byId("login-form", HTMLFormElement).reset();
        byId("login").hidden = true;
        byId("app").hidden = false;
        byId("logout").title = `Log out ${credentials.username}`;
        byId("board").focus({ preventScroll: true });
      },
      onRejected(message, wasBoardShown) {
        session = null;
        if (wasBoardShown) restart(message);
        else showLogin(message);
      },
    },
  });
}

/**
 * Stores a text in the tab's session storage. An empty text removes the entry.
 *
 * @param {string} key
 * @param {string} text
 */
function store(key, text) {
  try {
    if (text === "") sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, text);
  } catch {
    // The browser does not allow storage. The user has to log in again after a reload.
  }
}

/** @param {string} key */
function loadStored(key) {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

/**
 * Ends the session by reloading the page, so that none of the board's data remains in the
 * page.
 *
 * @param {string} [message] shown on the login form
 */
function restart(message = "") {
  store(CREDENTIALS_KEY, "");
  store(MESSAGE_KEY, message);
  location.reload();
}

/** @param {string} message why the user has to log in again; empty on the first visit */
function showLogin(message) {
  byId("app").hidden = true;
  byId("login").hidden = false;
  const form = byId("login-form");
  const error = byId("login-error");
  setText(error, message);
  error.hidden = message === "";
  find(form, "button", HTMLButtonElement).disabled = false;
  find(form, message === "" ? "[name=username]" : "[name=password]").focus();
}

function setUpLogin() {
  const form = byId("login-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    find(form, "button", HTMLButtonElement).disabled = true;
    const input = (/** @type {string} */ name) => find(form, `[name=${name}]`, HTMLInputElement);
    const credentials = { username: input("username").value, password: input("password").value };
    startSession(credentials, { remember: input("remember").checked, showImmediately: false });
  });
}

function setUpTools() {
  byId("add").addEventListener("click", () => session?.changes.openAdd());
  byId("cards").addEventListener("click", ({ target }) => {
    if (target instanceof Element) session?.changes.handleClick(target);
  });
  byId("settings").addEventListener("click", () =>
    openSettings(preferences, () => {
      applyPreferences(preferences);
      session?.refresh();
    }),
  );
  byId("logout").addEventListener("click", () => restart());
  byId("wall").addEventListener("click", () => {
    preferences.wall = !preferences.wall;
    savePreferences(preferences);
    showWall();
    session?.refresh();
  });
}

/** @type {WakeLockSentinel | null} */
let wakeLock = null;

/** Applies the preferences. Keeps a wall screen awake if the browser supports it. */
async function showWall() {
  applyPreferences(preferences);
  byId("wall").setAttribute("aria-pressed", String(preferences.wall));
  if (!preferences.wall || document.visibilityState !== "visible") {
    await wakeLock?.release().catch(() => {});
    wakeLock = null;
  } else if (wakeLock === null || wakeLock.released) {
    wakeLock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
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

const credentials = loadStored(CREDENTIALS_KEY);
if (credentials !== "") {
  startSession(JSON.parse(credentials), { remember: true, showImmediately: true });
} else {
  showLogin(loadStored(MESSAGE_KEY));
  store(MESSAGE_KEY, "");
}
