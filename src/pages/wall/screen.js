// The options of a wall screen, from the fragment of its address.

import { validPreferences } from "../shared/settings.js";

/**
 * @import { Preferences, Token } from "../bridge"
 *
 * @typedef {object} ScreenOptions
 * @property {Token | null} token null if the address has none
 * @property {boolean} isTokenMalformed whether the address has a token that can't be one
 * @property {number} late a caller who waits for this many seconds is late
 * @property {boolean} sound whether a new alarm is audible
 */

/**
 * Reads the options from the fragment, such as `#token=amib_…&late=60&sound=1`. Missing and invalid
 * ones are those of the browser.
 *
 * The token stays in the address, because a screen has no keyboard: after a power cut, the browser
 * opens the same address again. Browsers send the fragment to no server.
 *
 * @param {string} fragment
 * @param {Preferences} preferences
 * @returns {ScreenOptions}
 */
export function screenOptions(fragment, preferences) {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ""));
  const token = parameters.get("token") ?? "";
  const isValid = /^amib_[\w-]+$/.test(token);
  const late = validPreferences({ late: parameters.get("late") }).late ?? preferences.late;
  const sound = parameters.get("sound");
  return {
    token: isValid ? { token } : null,
    isTokenMalformed: token !== "" && !isValid,
    late,
    sound: sound === "1" || sound === "0" ? sound === "1" : preferences.wallSound,
  };
}

// The first and the longest delay before a screen that was refused tries again, in seconds. At
// this rate, the default limits lock out nobody.
const FIRST_RETRY = 15;
const LAST_RETRY = 300;

/**
 * Returns the delay before a refused screen tries again, in seconds.
 *
 * @param {number} refusals how often it was refused in a row
 */
export function retryDelay(refusals) {
  return Math.min(LAST_RETRY, FIRST_RETRY * 2 ** Math.min(refusals - 1, 10));
}
