// The page: log in, show the board, log out.

import { createApi } from "../shared/api.js";
import { errorMessage, setUpDialog } from "../shared/dialog.js";
import { byId } from "../shared/dom.js";
import { continueAt, restart, setUpLogin, showApp, showLogin } from "../shared/login.js";
import { Session, wakeWithPage } from "../shared/session.js";
import { applyPreferences, loadPreferences, openSettings } from "../shared/settings.js";
import { Clock } from "../shared/time.js";
import { Changes } from "./changes.js";
import { Selection } from "./selection.js";
import { View } from "./view.js";

/**
 * @import { Identity } from "../bridge"
 * @import { Login } from "../shared/login.js"
 */

const preferences = loadPreferences();
/** @type {Session | null} */
let session = null;
/** @type {Changes | null} */
let changes = null;
/** @type {Login | null} */
let loggedIn = null;

/** @param {Login} login */
function startSession(login) {
  session = new Session({
    credentials: login.credentials,
    showImmediately: login.isStored,
    readsStatistics: true,
    createPage({ api, board, clock, reasons, rights }) {
      changes = new Changes(api, board, reasons);
      loggedIn = login;
      showApp(login);
      byId("board").focus({ preventScroll: true });
      const selection = new Selection(() => session?.refresh());
      return new View({ board, clock, preferences, rights, selection });
    },
    onRejected(message, wasPageShown) {
      session = null;
      if (wasPageShown) restart(message);
      else showLogin(message);
    },
  });
}

/**
 * Starts the session. After the login form, a user with an own agent continues on the agent's
 * page.
 *
 * @param {Login} login
 */
async function logIn(login) {
  if (login.isStored) {
    startSession(login);
    return;
  }
  try {
    /** @type {Identity} */
    const { agent } = await createApi(login.credentials, new Clock()).read({ action: "whoami" });
    if (agent === null) startSession(login);
    else continueAt("agent", login);
  } catch (error) {
    showLogin(errorMessage(error));
  }
}

function setUpTools() {
  byId("add").addEventListener("click", () => changes?.openAdd());
  byId("cards").addEventListener("click", ({ target }) => {
    if (target instanceof Element) changes?.handleClick(target);
  });
  byId("settings").addEventListener("click", () =>
    openSettings(preferences, () => {
      applyPreferences(preferences);
      session?.refresh();
    }),
  );
  byId("logout").addEventListener("click", () => restart());
  byId("wall").addEventListener("click", (event) => {
    // A new tab or window has a session of its own.
    if (loggedIn === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    continueAt("wall", loggedIn);
  });
}

setUpTools();
setUpDialog();
applyPreferences(preferences);
wakeWithPage(() => session);
setUpLogin(logIn);
