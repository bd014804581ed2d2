// Decides when the agent's page alerts: when someone else pauses or resumes the agent, and a minute
// before a pause's limit or end. This module does not touch the page, read a clock or send
// requests.

import { parseTime } from "../shared/time.js";
import { earliest } from "./own-state.js";

/**
 * @import { OwnState } from "./own-state.js"
 *
 * @typedef {"paused" | "resumed" | "warning"} Alert
 */

// How long before a limit or an end the page warns, in milliseconds.
const WARNING_TIME = 60_000;

// After a response, the events of the agent's own change arrive within this time, in milliseconds.
const OWN_CHANGE_TIME = 2000;

/**
 * Returns the next limit or end of the agent's pauses, or null if there is none.
 *
 * @param {OwnState} state
 * @param {number} now
 */
export function nextDeadline({ paused }, now) {
  const times = paused.flatMap(({ member }) => [parseTime(member.pause_limit_at), parseTime(member.pause_ends_at)]);
  return earliest(times.filter((time) => time !== null && time > now));
}

/**
 * Returns true in the last minute before a limit or an end.
 *
 * @param {OwnState} state
 * @param {number} now
 */
export function isDeadlineNear(state, now) {
  const deadline = nextDeadline(state, now);
  return deadline !== null && deadline - now <= WARNING_TIME;
}

export class OwnAlerts {
  /** @type {Set<string> | null} the queues in which the agent is paused; null before a state */
  #paused = null;
  /**
   * The limit or end to warn of, while it is more than a minute away.
   *
   * @type {number | null}
   */
  #awaited = null;
  /**
   * The agent's own change, whose effect causes no alert.
   *
   * @type {{ alert: Alert, until: number } | null}
   */
  #own = null;

  /**
   * Expects the effect of the agent's own change, from its request on.
   *
   * @param {"paused" | "resumed"} alert
   */
  expect(alert) {
    this.#own = { alert, until: Infinity };
  }

  /**
   * Ends the expectation a moment after the response has arrived.
   *
   * @param {number} now
   */
  expectNoMore(now) {
    if (this.#own) this.#own.until = now + OWN_CHANGE_TIME;
  }

  /**
   * Returns the alert that a new state causes, or null. The first state causes none.
   *
   * @param {OwnState} state
   * @param {number} now
   * @returns {Alert | null}
   */
  update(state, now) {
    const before = this.#paused;
    const paused = new Set(state.paused.map(({ queue }) => queue));
    this.#paused = paused;
    if (before === null) return null;
    const members = new Set(state.memberships.map(({ queue }) => queue));
    /** @type {Alert | null} */
    let alert = null;
    if ([...paused].some((queue) => !before.has(queue))) alert = "paused";
    // Leaving a queue does not end a pause.
    else if ([...before].some((queue) => !paused.has(queue) && members.has(queue))) alert = "resumed";
    if (alert === null || (this.#own?.alert === alert && now <= this.#own.until)) return null;
    return alert;
  }

  /**
   * Returns a warning when the last minute before a limit or an end begins. Pauses that are shorter
   * cause no warning.
   *
   * @param {OwnState} state
   * @param {number} now
   * @returns {Alert | null}
   */
  tick(state, now) {
    const deadline = nextDeadline(state, now);
    if (deadline !== null && deadline - now > WARNING_TIME) {
      this.#awaited = deadline;
      return null;
    }
    const mustWarn = deadline !== null && deadline === this.#awaited;
    this.#awaited = null;
    return mustWarn ? "warning" : null;
  }
}
