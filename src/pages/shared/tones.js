// Plays sounds. They are synthesized, so there are no files.

// The duration of a tone, and the time from its start to the next one, in seconds.
const TONE_LENGTH = 0.18;
const TONE_INTERVAL = 0.24;

const VOLUME = 0.25;

/**
 * Plays one tone after the other.
 *
 * @param {AudioContext} audio
 * @param {number[]} frequencies in hertz
 */
export function playTones(audio, frequencies) {
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
