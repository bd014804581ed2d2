// Sounds and vibrations of the agent's page.

import { playTones } from "../shared/tones.js";

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
  #onChange;
  /** @type {AudioContext | null} null before the user has touched the page */
  #audio = null;
  /** @type {{ alert: Alert, time: number } | null} */
  #last = null;

  /**
   * @param {Preferences} preferences
   * @param {() => void} onChange called when the browser allows or stops sounds
   */
  constructor(preferences, onChange) {
    this.#preferences = preferences;
    this.#onChange = onChange;
    // Browsers allow sounds only after the user has touched the page or pressed a key.
    for (const type of ["pointerup", "keydown"]) {
      document.addEventListener(type, () => this.#unlock(), { passive: true });
    }
  }

  /** Returns true if the browser does not allow sounds until the user touches the page. */
  get isBlocked() {
    return this.#audio?.state !== "running";
  }

  /** @param {Alert} alert */
  send(alert) {
    const time = performance.now();
    const isRepeat = this.#last?.alert === alert && time - this.#last.time < REPEAT_TIME;
    this.#last = { alert, time };
    if (isRepeat) return;
    if (this.#preferences.vibration) navigator.vibrate?.(VIBRATIONS[alert]);
    if (this.#preferences.sound && this.#audio && !this.isBlocked) playTones(this.#audio, TONES[alert]);
  }

  #unlock() {
    if (this.#audio === null) {
      this.#audio = new AudioContext();
      this.#audio.addEventListener("statechange", this.#onChange);
    }
    // A browser also suspends a page's sounds in the background, and during a telephone call.
    if (this.isBlocked) this.#audio.resume().catch(() => {});
  }
}
