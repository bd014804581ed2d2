// The sound of a new alarm, and the button that turns it on and off.

import { setText } from "../shared/dom.js";
import { playTones } from "../shared/tones.js";

// The frequencies of the tones in hertz.
const TONES = [880, 660, 880];

// The minimum time between two sounds, in milliseconds.
const REPEAT_TIME = 5000;

export class AlarmSound {
  #button;
  #isOn;
  /** @type {AudioContext | null} null until the sound is turned on */
  #audio = null;
  #lastTime = -REPEAT_TIME;

  /**
   * @param {HTMLButtonElement} button
   * @param {boolean} isOn
   * @param {(isOn: boolean) => void} onChange
   */
  constructor(button, isOn, onChange) {
    this.#button = button;
    this.#isOn = isOn;
    button.addEventListener("click", () => {
      // Turning the sound off makes no sense while the browser still blocks it.
      if (this.#isOn && !this.#isAllowed) this.#unlock();
      else this.#turn(!this.#isOn);
      onChange(this.#isOn);
    });
    // Browsers allow sounds only after someone has touched the page or pressed a key.
    for (const type of ["pointerup", "keydown"]) {
      document.addEventListener(type, ({ target }) => {
        if (this.#isOn && !(target instanceof Node && button.contains(target))) this.#unlock();
      }, { passive: true });
    }
    this.#turn(isOn);
  }

  get #isAllowed() {
    return this.#audio?.state === "running";
  }

  /** @param {boolean} isOn */
  #turn(isOn) {
    this.#isOn = isOn;
    if (isOn) this.#unlock();
    this.#show();
  }

  #unlock() {
    if (this.#audio === null) {
      this.#audio = new AudioContext();
      this.#audio.addEventListener("statechange", () => this.#show());
    }
    if (!this.#isAllowed) this.#audio.resume().catch(() => {});
  }

  #show() {
    let text = "Sound: off";
    if (this.#isOn) text = this.#isAllowed ? "Sound: on" : "Sound: tap once";
    setText(this.#button, text);
  }

  /** Plays the sound, if it is turned on and the browser allows it. */
  play() {
    const time = performance.now();
    if (!this.#isOn || this.#audio?.state !== "running" || time - this.#lastTime < REPEAT_TIME) return;
    this.#lastTime = time;
    playTones(this.#audio, TONES);
  }
}
