// The sound of a new alarm, and the button that turns it on and off.

import { setText } from "../shared/dom.js";
import { SoundOutput } from "../shared/tones.js";

// The frequencies of the tones in hertz.
const TONES = [880, 660, 880];

// The minimum time between two sounds, in milliseconds.
const REPEAT_TIME = 5000;

export class AlarmSound {
  #button;
  #isOn;
  #output = new SoundOutput(() => this.#show());
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
      if (this.#isOn && !this.#output.isAllowed) this.#output.unlock();
      else this.#turn(!this.#isOn);
      onChange(this.#isOn);
    });
    this.#output.unlockOnTouch((target) => this.#isOn && !(target instanceof Node && button.contains(target)));
    this.#turn(isOn);
  }

  /** @param {boolean} isOn */
  #turn(isOn) {
    this.#isOn = isOn;
    if (isOn) this.#output.unlock();
    this.#show();
  }

  #show() {
    let text = "Sound: off";
    if (this.#isOn) text = this.#output.isAllowed ? "Sound: on" : "Sound: tap once";
    setText(this.#button, text);
  }

  /** Plays the sound, if it is turned on and the browser allows it. */
  play() {
    const time = performance.now();
    if (!this.#isOn || !this.#output.isAllowed || time - this.#lastTime < REPEAT_TIME) return;
    this.#lastTime = time;
    this.#output.play(TONES);
  }
}
