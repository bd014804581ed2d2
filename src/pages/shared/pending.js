// Protects controls from repeated clicks. An action that is under way is not sent again, and a
// control whose meaning has just changed ignores a click that was aimed at its old meaning.

// How long a control ignores clicks after its meaning has changed, in milliseconds. A double click
// takes up to half a second.
const SETTLE_TIME = 500;

/** @type {WeakMap<Element, ReturnType<typeof setTimeout>>} */
const timers = new WeakMap();

/**
 * Runs an action. Until it has ended, the element is marked as busy and `isInert` returns true.
 *
 * @param {Element} element
 * @param {() => Promise<void>} action
 */
export async function whileBusy(element, action) {
  element.ariaBusy = "true";
  try {
    await action();
  } finally {
    element.ariaBusy = null;
  }
}

/**
 * Makes a control ignore clicks for a moment, because it now means something else.
 *
 * @param {HTMLElement} element
 */
export function markChanged(element) {
  clearTimeout(timers.get(element));
  element.dataset.changed = "";
  timers.set(element, setTimeout(() => delete element.dataset.changed, SETTLE_TIME));
}

/**
 * Returns true if the element, a control or its row, must ignore clicks.
 *
 * @param {Element} element
 */
export function isInert(element) {
  return element.ariaBusy === "true" || element.hasAttribute("data-changed");
}
