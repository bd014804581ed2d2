// The page: log in, show the board, log out.

import { createApi } from "../shared/api.js";
import { errorMessage, refreshDialog, setUpDialog } from "../shared/dialog.js";
import { byId, oncePerFrame } from "../shared/dom.js";
import { continueAt, keepLogin, restart, setUpLogin, showApp, showLogin } from "../shared/login.js";
import { Session, wakeWithPage } from "../shared/session.js";
import { applyPreferences, loadPreferences, openSettings } from "../shared/settings.js";
import { Clock } from "../shared/time.js";
import { BulkBar } from "./bulk.js";
import { Changes } from "./changes.js";
import { Commands } from "./commands.js";
import { openHelp, setUpKeyboard } from "./keyboard.js";
import { Rows } from "./rows.js";
import { Selection } from "./selection.js";
import { View } from "./view.js";

/**
 * @import { Identity } from "../bridge"
 * @import { Login } from "../shared/login.js"
 * @import { BoardUpdate } from "../shared/state.js"
 */

const preferences = loadPreferences();
/** @type {Session | null} */
let session = null;
/** @type {Commands | null} */
let commands = null;
/** @type {Selection | null} */
let selection = null;

// The actions of which the user may do some. The page has no control for the others.
const ACTIONS = ["pause", "unpause", "add", "remove", "showreport"];

/** @param {Login} login */
function startSession(login) {
  session = new Session({
    credentials: login.credentials,
    showImmediately: login.isStored,
    readsStatistics: true,
    createPage(created) {
      keepLogin(byId("wall", HTMLAnchorElement), login);
      showApp(login);
      byId("board").focus({ preventScroll: true });
      return createPage(created);
    },
    onRejected(message, wasPageShown) {
      session = null;
      if (wasPageShown) restart(message);
      else showLogin(message);
    },
  });
}

/**
 * Creates the parts of the page that exist after the login.
 *
 * @param {Session} session
 */
function createPage({ api, board, clock, reasons, rights }) {
  const chosen = new Selection(() => session?.refresh());
  const changes = new Changes({ api, board, clock, reasons, rights });
  selection = chosen;
  commands = new Commands({ board, changes, reasons, rights, selection: chosen });
  const bulk = new BulkBar(board, chosen, commands);
  const view = new View({ api, board, clock, preferences, reasons, rights, selection: chosen });
  const schedule = oncePerFrame(() => {
    document.body.dataset.allows = ACTIONS.filter((action) => rights.allows(action)).join(" ");
    bulk.draw();
    refreshDialog();
  });
  return {
    update(/** @type {BoardUpdate} */ update) {
      view.update(update);
      if (update === "everything" || (update !== "nothing" && update.interface !== null)) schedule();
    },
    refresh() {
      view.refresh();
      schedule();
    },
    setLive: (/** @type {boolean} */ isLive) => view.setLive(isLive),
  };
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
  byId("add").addEventListener("click", () => commands?.openAdd());
  byId("board").addEventListener("click", ({ target }) => {
    if (target instanceof Element) commands?.handleClick(target);
  });
  byId("help").addEventListener("click", () => openHelp());
  setUpKeyboard(new Rows(), () => commands, (agent) => selection?.toggle(agent));
  byId("settings").addEventListener("click", () =>
    openSettings(preferences, () => {
      applyPreferences(preferences);
      session?.refresh();
    }),
  );
  byId("logout").addEventListener("click", () => restart());
}

setUpTools();
setUpDialog();
applyPreferences(preferences);
wakeWithPage(() => session);
setUpLogin(logIn);
