// The login form, and the credentials in the tab's storage. The pages share both,
// so that a login on one page also counts on the others.

import { byId, find, setText } from "./dom.js";

/** @import { Credentials } from "../bridge" */

// The sessionStorage key of the credentials. The credentials are stored only if the user
// chooses to be remembered. Otherwise they exist only in memory.
const CREDENTIALS_KEY = "ami-bridge.session";

// The sessionStorage key of credentials for the next page only, which deletes them.
const HANDOVER_KEY = "ami-bridge.handover";

// The sessionStorage key of a message to show after a reload.
const MESSAGE_KEY = "ami-bridge.message";

/**
 * @typedef {object} Login
 * @property {Credentials} credentials
 * @property {boolean} remember whether to store the credentials in the tab
 * @property {boolean} isStored whether the credentials come from the tab's storage
 */

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
 * Sets up the login form. Calls `onLogin` at once if the tab has stored credentials, and else
 * whenever the user submits the form.
 *
 * @param {(login: Login) => void} onLogin
 */
export function setUpLogin(onLogin) {
  const form = byId("login-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    find(form, "button", HTMLButtonElement).disabled = true;
    const input = (/** @type {string} */ name) => find(form, `[name=${name}]`, HTMLInputElement);
    const credentials = { username: input("username").value, password: input("password").value };
    onLogin({ credentials, remember: input("remember").checked, isStored: false });
  });
  const handover = loadStored(HANDOVER_KEY);
  store(HANDOVER_KEY, "");
  const stored = loadStored(CREDENTIALS_KEY);
  if (handover !== "") {
    onLogin({ credentials: JSON.parse(handover), remember: false, isStored: true });
  } else if (stored !== "") {
    onLogin({ credentials: JSON.parse(stored), remember: true, isStored: true });
  } else {
    showLogin(loadStored(MESSAGE_KEY));
    store(MESSAGE_KEY, "");
  }
}

/** @param {string} message why the user has to log in again; empty on the first visit */
export function showLogin(message) {
  byId("app").hidden = true;
  byId("login").hidden = false;
  const form = byId("login-form");
  const error = byId("login-error");
  setText(error, message);
  error.hidden = message === "";
  find(form, "button", HTMLButtonElement).disabled = false;
  find(form, message === "" ? "[name=username]" : "[name=password]").focus();
}

/**
 * Shows the page in place of the login form.
 *
 * @param {Login} login stored if the user chose to be remembered
 */
export function showApp({ credentials, remember }) {
  if (remember) store(CREDENTIALS_KEY, JSON.stringify(credentials));
  // Removes the password from the form.
  byId("login-form", HTMLFormElement).reset();
  byId("login").hidden = true;
  byId("app").hidden = false;
  const logout = document.getElementById("logout");
  if (logout) logout.title = `Log out ${credentials.username}`;
}

/**
 * Continues on another page with the same user.
 *
 * @param {string} url
 * @param {Login} login
 */
export function continueAt(url, login) {
  handOver(login);
  location.assign(url);
}

/**
 * Makes a link to another page keep the login. Without it, the other page would ask for the login, and
 * the board would then return an agent to the agent's page.
 *
 * @param {HTMLAnchorElement} link
 * @param {Login} login
 */
export function keepLogin(link, login) {
  link.addEventListener("click", (event) => {
    // A new tab or window has a session of its own.
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    continueAt(link.href, login);
  });
}

/**
 * Reloads the page. The user remains logged in.
 *
 * @param {Login} login
 */
export function reloadPage(login) {
  handOver(login);
  location.reload();
}

/** @param {Login} login */
function handOver({ credentials, remember }) {
  store(remember ? CREDENTIALS_KEY : HANDOVER_KEY, JSON.stringify(credentials));
}

/**
 * Ends the session by reloading the page, so that none of its data remains.
 *
 * @param {string} [message] shown on the login form
 */
export function restart(message = "") {
  store(CREDENTIALS_KEY, "");
  store(MESSAGE_KEY, message);
  location.reload();
}
