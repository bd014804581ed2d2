// The agent's page: log in, show the agent's own state, log out.

import { ApiError, createApi } from "../shared/api.js";
import { errorMessage, setUpDialog } from "../shared/dialog.js";
import { byId, find, setText } from "../shared/dom.js";
import { keepLogin, restart, setUpLogin, showApp, showLogin } from "../shared/login.js";
import { isInert } from "../shared/pending.js";
import { Session, wakeWithPage } from "../shared/session.js";
import { applyPreferences, loadPreferences, savePreferences } from "../shared/settings.js";
import { reconnectDelay } from "../shared/stream.js";
import { Clock } from "../shared/time.js";
import { AgentActions } from "./actions.js";
import { MyDay } from "./my-day.js";
import { OwnAlerts } from "./own-alerts.js";
import { alertText } from "./own-text.js";
import { Signals } from "./signals.js";
import { AgentView } from "./view.js";

/**
 * @import { Identity } from "../bridge"
 * @import { Login } from "../shared/login.js"
 * @import { Alert } from "./own-alerts.js"
 */

// How often the page draws its times, in milliseconds.
const TICK_INTERVAL = 250;

const preferences = loadPreferences();
const signals = new Signals(preferences, showSound);
/** @type {Session | null} */
let session = null;
let lastNews = "";

/**
 * Shows a message at the agent's state. It stays until the next one.
 *
 * @param {string} text
 * @param {{ isError?: boolean }} [options]
 */
function showNews(text, { isError = false } = {}) {
  lastNews = text;
  byId("news").classList.toggle("failed", isError);
  showSound();
}

/** Shows whether the page can be heard, and at the agent's state if it can't be yet. */
function showSound() {
  const isSilent = preferences.sound && signals.isBlocked;
  const state = isSilent ? "silent until you tap" : "on";
  setText(byId("sound"), `Sound: ${preferences.sound ? state : "off"}`);
  byId("sound").classList.toggle("silent", isSilent);
  setText(byId("news"), lastNews || (isSilent ? "Tap anywhere to turn the sound on." : ""));
}

/**
 * Creates the part of the page that shows the agent's state.
 *
 * @param {Session} session
 * @param {string} agent
 */
function createPage({ api, board, clock, reasons, rights }, agent) {
  const alerts = new OwnAlerts();
  const view = new AgentView({ board, clock, agent, rights });
  const myDay = new MyDay(api, clock);
  const signal = (/** @type {Alert | null} */ alert) => {
    if (alert === null) return;
    showNews(alertText(alert, view.state));
    signals.send(alert);
  };
  const refresh = () => {
    view.draw();
    if (board.isLoaded) signal(alerts.update(view.state, clock.now()));
    myDay.update(rights.allows("showreport"), view.state.state);
  };
  setUpControls(view, new AgentActions({ api, agent, reasons, controls: byId("controls") }, {
    onSent(effect) {
      alerts.expect(effect);
      showNews("Sending…");
    },
    onAnswered(failure) {
      alerts.expectNoMore(clock.now());
      showNews(failure, { isError: failure !== "" });
    },
  }));
  setInterval(() => {
    view.tick();
    if (board.isLoaded) signal(alerts.tick(view.state, clock.now()));
  }, TICK_INTERVAL);
  return {
    refresh,
    /** @param {unknown} update */
    update(update) {
      if (update === "everything") reasons.getLatest().then((catalog) => view.setReasons(catalog));
      if (update !== "nothing") refresh();
    },
    setLive: (/** @type {boolean} */ isLive) => view.setLive(isLive),
  };
}

/**
 * @param {AgentView} view
 * @param {AgentActions} actions
 */
function setUpControls(view, actions) {
  const controls = byId("controls");
  controls.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest("button") : null;
    if (button === null || isInert(controls)) return;
    const { isPaused, paused } = view.state;
    const missed = paused.filter(({ member }) => member.auto_paused);
    if (button.id === "pause") actions.pause({});
    else if (button.id === "other") actions.openOther();
    else if (button.dataset.reason !== undefined) actions.pause({ reason: button.dataset.reason });
    else if (missed.length > 0) actions.resume(missed);
    else actions.resume(isPaused ? null : paused);
  });
}

/**
 * Asks the bridge who the user is. With stored credentials, waits for a bridge that can't be
 * reached. Returns null if the login failed.
 *
 * @param {Login} login
 * @returns {Promise<Identity | null>}
 */
async function identify({ credentials, isStored }) {
  const api = createApi(credentials, new Clock());
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await api.read({ action: "whoami" });
    } catch (error) {
      const isFinal = !(error instanceof ApiError) || error.isRejection;
      if (isFinal && isStored) restart(errorMessage(error));
      else if (isFinal || !isStored) showLogin(errorMessage(error));
      if (isFinal || !isStored) return null;
      setText(find(byId("starting"), "p"), errorMessage(error));
      const delay = reconnectDelay(attempt, error.retryAfter);
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
}

/** @param {Login} login */
async function logIn(login) {
  byId("starting").hidden = !login.isStored;
  const identity = await identify(login);
  byId("starting").hidden = true;
  if (identity === null) return;
  const { agent, user } = identity;
  if (agent === null) {
    showNotAgent(login, user);
    return;
  }
  keepLogin(byId("board", HTMLAnchorElement), login);
  session = new Session({
    credentials: login.credentials,
    showImmediately: true,
    readsStatistics: false,
    createPage(created) {
      showApp(login);
      created.rights.set(identity);
      return createPage(created, agent);
    },
    onRejected: (message) => restart(message),
  });
}

/**
 * @param {Login} login
 * @param {string} user
 */
function showNotAgent(login, user) {
  const message = byId("not-agent");
  byId("login").hidden = true;
  message.hidden = false;
  setText(find(message, "bdi"), user);
  keepLogin(find(message, "a", HTMLAnchorElement), login);
  find(message, "button").addEventListener("click", () => restart());
}

/**
 * @param {"sound" | "vibration"} name
 * @param {boolean} value
 */
function setPreference(name, value) {
  preferences[name] = value;
  savePreferences(preferences);
}

function setUpTools() {
  byId("logout").addEventListener("click", () => restart());
  let wasSilent = false;
  // The tap or key itself ends the silence, before the click.
  for (const type of ["pointerdown", "keydown"]) {
    byId("sound").addEventListener(type, () => {
      wasSilent = signals.isBlocked;
    });
  }
  byId("sound").addEventListener("click", () => {
    // A tap that turns the sound on must not turn it off again.
    if (!(preferences.sound && wasSilent)) setPreference("sound", !preferences.sound);
    wasSilent = false;
    showSound();
  });
  const showVibration = () => setText(byId("vibration"), `Vibration: ${preferences.vibration ? "on" : "off"}`);
  byId("vibration").addEventListener("click", () => {
    setPreference("vibration", !preferences.vibration);
    showVibration();
  });
  showSound();
  showVibration();
  byId("vibration").hidden = !("vibrate" in navigator);
}

setUpTools();
setUpDialog();
applyPreferences(preferences);
wakeWithPage(() => session);
setUpLogin(logIn);
