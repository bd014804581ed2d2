// Sounds and vibrations of the agent's page.

import { SoundOutput } from "../shared/tones.js";

/**
 * @import { Preferences } from "../bridge"
 * @import { Alert } from "./own-alerts.js"
 */

/**
 * The frequencies of each alert's tones in hertz: falling for a pause, and rising for its end.
 *
 * @type {Record<Alert, number[]>}
 */
const TONES = { paused: [660, 440], resumed: [440, 660], warning: [550, 550, 550] };

// A change of several queues arrives as several events within this time, in milliseconds. It causes
// one signal.
const REPEAT_TIME = 1000;

/** @type {Record<Alert, number[]>} in milliseconds: vibration, silence, vibration and so on */
const VIBRATIONS = { paused: [400], resumed: [150, 100, 150], warning: [150, 100, 150, 100, 150] };

export class Signals {
  #preferences;
  #output;
  /** @type {{ alert: Alert, time: number } | null} */
  #last = null;

  /**
   * @param {Preferences} preferences
   * @param {() => void} onChange called when the browser allows or stops sounds
   */
  constructor(preferences, onChange) {
    this.#preferences = preferences;
    this.#output = new SoundOutput(onChange);
    this.#output.unlockOnTouch(() => true);
  }

  /** Returns true if the browser does not allow sounds until the user touches the page. */
  get isBlocked() {
    return !this.#output.isAllowed;
  }

  /** @param {Alert} alert */
  send(alert) {
    const time = performance.now();
    const isRepeat = this.#last?.alert === alert && time - this.#last.time < REPEAT_TIME;
    this.#last = { alert, time };
    if (isRepeat) return;
    if (this.#preferences.vibration) navigator.vibrate?.(VIBRATIONS[alert]);
    if (this.#preferences.sound) this.#output.play(TONES[alert]);
  }
}
