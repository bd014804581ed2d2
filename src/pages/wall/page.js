// The wall screen: logs in, shows all queues, and recovers from everything without a keyboard.

import { byId } from "../shared/dom.js";
import { reloadPage, restart, setUpLogin, showApp, showLogin } from "../shared/login.js";
import { Session, wakeWithPage } from "../shared/session.js";
import { applyPreferences, loadPreferences, savePreferences } from "../shared/settings.js";
import { showCover, WallNotice } from "./notice.js";
import { retryDelay, screenOptions } from "./screen.js";
import { AlarmSound } from "./sound.js";
import { reloadAfterUpgrade } from "./upgrade.js";
import { WallView } from "./view.js";

/**
 * @import { Credentials, Token } from "../bridge"
 * @import { Login } from "../shared/login.js"
 * @import { Page } from "../shared/session.js"
 *
 * @typedef {object} Start
 * @property {Credentials | Token} credentials
 * @property {boolean} showImmediately whether to show the page before the bridge has responded
 * @property {() => void} onShown called when the page is shown
 * @property {(message: string, wasPageShown: boolean, code: string) => void} onRejected
 * @property {() => void} reload
 */

// The page looks for an upgrade and sets its clock after each connection, and at this interval in
// milliseconds.
const CHECK_INTERVAL = 600_000;

const preferences = loadPreferences();
const options = screenOptions(location.hash, preferences);
const sound = new AlarmSound(byId("sound", HTMLButtonElement), options.sound, (isOn) => {
  preferences.wallSound = isOn;
  savePreferences(preferences);
});
const view = new WallView({ lateAfter: options.late * 1000, onAlarm: () => sound.play() });
/** @type {Session | null} */
let session = null;
/** How often the token was refused since the page was last live. */
let refusals = 0;
/** Looks for an upgrade. */
let check = () => {};

/** @param {Start} start */
function startSession({ credentials, showImmediately, onShown, onRejected, reload }) {
  session = new Session({
    credentials,
    showImmediately,
    readsStatistics: false,
    isReadOnly: true,
    createNotice: ({ clock }) => new WallNotice(clock, refusals > 0),
    createPage({ board, clock }) {
      onShown();
      view.show(board, clock);
      check = () => reloadAfterUpgrade(clock, reload);
      return page;
    },
    onRejected,
  });
}

/** @type {Page} */
const page = {
  update: (update) => view.update(update),
  refresh: () => view.refresh(),
  setLive(isLive) {
    view.setLive(isLive);
    if (!isLive) return;
    refusals = 0;
    check();
  },
};

/** @param {Login} login from the form, or stored in the tab */
function startWithLogin(login) {
  startSession({
    credentials: login.credentials,
    showImmediately: login.isStored,
    onShown: () => showApp(login),
    onRejected(message, wasPageShown) {
      session = null;
      if (wasPageShown) restart(message);
      else showLogin(message);
    },
    reload: () => reloadPage(login),
  });
}

/**
 * Starts a session with the token from the address. If the bridge refuses it, tries again forever,
 * because nobody is there to log in.
 *
 * @param {Token} token
 */
function startWithToken(token) {
  startSession({
    credentials: token,
    showImmediately: true,
    onShown: () => {
      byId("app").hidden = false;
    },
    onRejected(message, _, code) {
      refusals += 1;
      const reason = code === "unauthorized" ? "Its token is unknown, revoked or expired." : message;
      refuse(reason, "It tries again by itself.");
      setTimeout(() => startWithToken(token), retryDelay(refusals) * 1000);
    },
    reload: () => location.reload(),
  });
}

/**
 * Shows that this screen may not show the queues, and removes what it has shown.
 *
 * @param {string} reason
 * @param {string} hint
 */
function refuse(reason, hint) {
  byId("app").hidden = false;
  view.clear();
  showCover("This screen has no access.", reason, hint);
}

/** @type {WakeLockSentinel | null} */
let wakeLock = null;

/** Keeps the screen awake, if the browser supports it. */
async function stayAwake() {
  if (document.visibilityState !== "visible" || (wakeLock !== null && !wakeLock.released)) return;
  wakeLock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
}

let clockStart = Date.now() - performance.now();

/** Sets the clock again after the browser's own clock has been set. */
function checkAfterJump() {
  const start = Date.now() - performance.now();
  if (Math.abs(start - clockStart) < 2000) return;
  clockStart = start;
  check();
}

applyPreferences(preferences);
stayAwake();
document.addEventListener("visibilitychange", () => stayAwake());
window.addEventListener("hashchange", () => location.reload());
setInterval(() => check(), CHECK_INTERVAL);
setInterval(() => checkAfterJump(), 1000);
wakeWithPage(() => session);
if (options.isTokenMalformed) refuse("The token in its address is incomplete.", "");
else if (options.token !== null) startWithToken(options.token);
else setUpLogin(startWithLogin);
