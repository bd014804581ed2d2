// Ignores clicks and keys that repeat on their own account: the rest of a double click whose first
// click has opened or closed the dialog, and the repetitions of an Enter key that is held down.

// The longest time between the clicks of a double click, in milliseconds, and the longest distance,
// in CSS pixels. A finger moves more than a mouse.
const REPEAT_TIME = 500;
const REPEAT_DISTANCE = 20;

/**
 * @typedef {object} Press
 * @property {number} time in milliseconds
 * @property {number} x in CSS pixels
 * @property {number} y in CSS pixels
 */

/**
 * Returns whether a press continues a double click.
 *
 * @param {Press} before
 * @param {Press} press
 */
export function isRepeat(before, press) {
  const distance = Math.hypot(press.x - before.x, press.y - before.y);
  return press.time - before.time <= REPEAT_TIME && distance <= REPEAT_DISTANCE;
}

/** @type {Press} the last press */
let last = { time: -Infinity, x: 0, y: 0 };

/** Whether the dialog has opened or closed since the first press of a double click. */
let hasChanged = false;

/** Whether the clicks that the last press causes are ignored. */
let isIgnored = false;

/** Ignores the rest of a double click, because what was under the pointer has changed. */
export function ignoreDoubleClick() {
  hasChanged = true;
}

/** Sets up the page's listeners. */
export function setUpRepeats() {
  const options = { capture: true };
  // A finger causes these events too, after it has left the screen.
  document.addEventListener("mousedown", (event) => {
    const press = { time: event.timeStamp, x: event.clientX, y: event.clientY };
    // The browser counts the clicks with the system's time of a double click, but some browsers count
    // them for each element.
    if (event.detail <= 1 && !isRepeat(last, press)) hasChanged = false;
    last = press;
    isIgnored = hasChanged;
    if (isIgnored) stop(event);
  }, options);
  document.addEventListener("click", (event) => {
    // Clicks of the keyboard and of assistive technology have no count.
    if (isIgnored && event.isTrusted && event.detail > 0) stop(event);
  }, options);
  document.addEventListener("keydown", (event) => {
    // After a key, a click is a new decision.
    last = { ...last, time: -Infinity };
    isIgnored = false;
    if (event.key === "Enter" && event.repeat) stop(event);
  }, options);
}

/** @param {Event} event */
function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}
