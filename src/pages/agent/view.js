// The agent's page: draws the agent's state, the controls and the queues.

import { byId, cloneTemplate, create, find, isolateText, setChildren, setText } from "../shared/dom.js";
import { markChanged } from "../shared/pending.js";
import { reasonButton } from "../shared/reason-fields.js";
import { formatDuration, parseTime } from "../shared/time.js";
import { isDeadlineNear } from "./own-alerts.js";
import { ownState } from "./own-state.js";
import { elapsedText, endText, ownStateLabel, pauseReason, timerText } from "./own-text.js";

/**
 * @import { Member, PauseReasons } from "../bridge"
 * @import { Membership, OwnState } from "./own-state.js"
 * @import { Rights } from "../shared/rights.js"
 * @import { Board } from "../shared/state.js"
 * @import { Clock } from "../shared/time.js"
 */

// A pause of several queues reaches them within this time, in milliseconds.
const SAME_PAUSE_TIME = 2000;

export class AgentView {
  #board;
  #clock;
  #agent;
  #rights;
  #isLive = false;
  /** @type {PauseReasons | null} null until the bridge has sent the reasons */
  #catalog = null;
  /** The names of the controls that are shown; empty for none. */
  #shownControls = "";
  /** @type {Map<string, HTMLElement>} by queue */
  #rows = new Map();

  /**
   * @param {object} options
   * @param {Board} options.board
   * @param {Clock} options.clock
   * @param {string} options.agent
   * @param {Rights} options.rights
   */
  constructor({ board, clock, agent, rights }) {
    this.#board = board;
    this.#clock = clock;
    this.#agent = agent;
    this.#rights = rights;
    this.state = ownState([], agent);
  }

  /** Draws the agent's state as the board has it now. */
  draw() {
    this.state = ownState(this.#board.queues.values(), this.#agent);
    const { state } = this;
    setText(byId("name"), state.name);
    setText(byId("number"), state.name === this.#agent ? "" : this.#agent);
    byId("no-queue").hidden = !this.#board.isLoaded || state.memberships.length > 0;
    this.#drawControls();
    setChildren(byId("queues"), state.memberships.map((membership) => this.#row(membership)));
    this.tick();
  }

  /** Draws everything that changes with time. While no events arrive, the times stop. */
  tick() {
    const { state } = this;
    const own = byId("own");
    own.dataset.state = state.state;
    const label = this.#board.isLoaded ? ownStateLabel(state.state) : "Connecting…";
    setText(byId("state"), this.#isLive || !this.#board.isLoaded ? label : `Was ${label.toLowerCase()}`);
    if (!this.#isLive) return;
    const now = this.#clock.now();
    setText(byId("timer"), timerText(state, now));
    this.#drawPause(now);
    own.classList.toggle("near", isDeadlineNear(state, now));
    own.classList.toggle("overdue", state.paused.some(({ member }) => member.pause_overdue));
    for (const membership of state.memberships) this.#tickRow(membership, now);
  }

  /** @param {boolean} isLive whether the page receives events */
  setLive(isLive) {
    this.#isLive = isLive;
    byId("agent").classList.toggle("stale", !isLive);
    byId("controls", HTMLFieldSetElement).disabled = !isLive;
    this.draw();
  }

  /** @param {PauseReasons} catalog */
  setReasons(catalog) {
    this.#catalog = catalog;
    const buttons = catalog.reasons.map((reason) => reasonButton(reason, "button"));
    if (catalog.other_reasons) buttons.push(create("button", { type: "button", id: "other" }, "Other…"));
    byId("reasons").replaceChildren(...buttons);
    this.draw();
  }

  /** @param {number} now */
  #drawPause(now) {
    const { state, isPaused, pause } = this.state;
    const shown = isPaused ? pause : null;
    setText(byId("reason"), shown ? pauseReason(shown) : "");
    // During a call, the large timer is that of the call.
    const elapsed = shown && state !== "paused" ? `paused ${elapsedText(shown, now)}` : "";
    setText(byId("deadline"), shown ? [elapsed, endText(shown, now)].filter(Boolean).join(" · ") : "");
  }

  #drawControls() {
    const { isPaused, paused, memberships } = this.state;
    const [canPause, canResume] = ["pause", "unpause"].map((action) => this.#rights.allows(action));
    const isMissedCall = paused.some(({ member }) => member.auto_paused);
    const showsPause = canPause && !isPaused && memberships.length > 0 && this.#catalog !== null;
    const showsResume = canResume && (isPaused || isMissedCall);
    const resumeText = isMissedCall ? "I’m back" : "Resume";
    setText(byId("resume"), resumeText);
    byId("resume").hidden = !showsResume;
    byId("pause").hidden = !showsPause || isMissedCall || this.#catalog?.reason_required === true;
    byId("reasons").hidden = !showsPause || isMissedCall;
    byId("partly").hidden = isPaused || isMissedCall || paused.length === 0;
    byId("resume-partly").hidden = !canResume;
    setText(find(byId("partly"), "span"), partlyText(this.state));
    const shown = [showsPause && "pause", showsResume && resumeText, byId("partly").hidden ? "" : "partly"].filter(Boolean).join();
    // A tap that was aimed at the old controls, if there were any, must not reach the new ones.
    if (this.#shownControls !== "" && this.#shownControls !== shown) markChanged(byId("controls"));
    this.#shownControls = shown;
  }

  /** @param {Membership} membership */
  #row({ queue, name, waiting }) {
    const row = this.#rows.get(queue) ?? cloneTemplate("queue");
    this.#rows.set(queue, row);
    setText(find(row, ".number"), queue);
    setText(find(row, ".name"), name);
    setText(find(row, ".waiting"), `${waiting} waiting`);
    row.classList.toggle("some", waiting > 0);
    return row;
  }

  /**
   * @param {Membership} membership
   * @param {number} now
   */
  #tickRow({ queue, member, longestSince }, now) {
    const row = this.#rows.get(queue);
    if (!row) return;
    const isOther = member.paused && !(this.state.isPaused && isSamePause(member, this.state.pause));
    const pause = isOther ? `${pauseReason(member) || "Paused"} ${elapsedText(member, now)}` : "";
    setText(find(row, ".paused"), pause);
    setText(find(row, "time"), longestSince === null ? "" : formatDuration(now - longestSince));
  }
}

/**
 * Returns true if both memberships were paused at the same time for the same reason.
 *
 * @param {Member} member
 * @param {Member | null} other
 */
function isSamePause(member, other) {
  const times = [member, other].map((each) => parseTime(each?.paused_at ?? null) ?? 0);
  return member.paused_reason === other?.paused_reason && Math.abs(times[0] - times[1]) <= SAME_PAUSE_TIME;
}

/**
 * Returns in which queues an agent is paused who is not paused in all of them.
 *
 * @param {OwnState} state
 */
function partlyText({ paused }) {
  const queues = paused.map(({ queue, member }) => {
    const reason = pauseReason(member);
    return reason === "" ? queue : `${queue} (${isolateText(reason)})`;
  });
  return `Paused in ${queues.join(", ")} only.`;
}
