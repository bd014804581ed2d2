// Plays sounds. They are synthesized, so there are no files.

// Browsers allow sounds only after someone has touched the page or pressed a key.
const TOUCHES = ["pointerup", "keydown"];

// The duration of a tone, and the time from its start to the next one, in seconds.
const TONE_LENGTH = 0.18;
const TONE_INTERVAL = 0.24;

const VOLUME = 0.25;

/** The page's sound output, which the browser blocks at first. */
export class SoundOutput {
  /** @type {AudioContext | null} null before the page has tried to unlock it */
  #audio = null;
  #onChange;

  /** @param {() => void} onChange called when the browser allows or stops sounds */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** Whether the browser allows sounds. */
  get isAllowed() {
    return this.#audio?.state === "running";
  }

  /** Asks the browser to allow sounds. */
  unlock() {
    if (this.#audio === null) {
      this.#audio = new AudioContext();
      this.#audio.addEventListener("statechange", this.#onChange);
    }
    // A browser also suspends a page's sounds in the background, and during a telephone call.
    if (!this.isAllowed) this.#audio.resume().catch(() => {});
  }

  /**
   * Unlocks the sounds whenever someone touches the page.
   *
   * @param {(target: EventTarget | null) => boolean} isWanted whether a touch of this element counts
   */
  unlockOnTouch(isWanted) {
    for (const type of TOUCHES) {
      document.addEventListener(type, ({ target }) => {
        if (isWanted(target)) this.unlock();
      }, { passive: true });
    }
  }

  /**
   * Plays one tone after the other, if the browser allows it.
   *
   * @param {number[]} frequencies in hertz
   */
  play(frequencies) {
    if (this.#audio && this.isAllowed) playTones(this.#audio, frequencies);
  }
}

/**
 * @param {AudioContext} audio
 * @param {number[]} frequencies in hertz
 */
function playTones(audio, frequencies) {
  for (const [index, frequency] of frequencies.entries()) {
    const start = audio.currentTime + index * TONE_INTERVAL;
    const oscillator = new OscillatorNode(audio, { frequency });
    const gain = new GainNode(audio, { gain: 0 });
    // The volume rises and falls gradually, because a sudden change clicks.
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(VOLUME, start + 0.02);
    gain.gain.linearRampToValueAtTime(0, start + TONE_LENGTH);
    oscillator.connect(gain).connect(audio.destination);
    oscillator.start(start);
    oscillator.stop(start + TONE_LENGTH);
  }
}
