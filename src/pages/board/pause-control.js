// The button of a row that pauses or resumes.

import { find, setIcon, setText } from "../shared/dom.js";
import { markChanged } from "../shared/pending.js";

/**
 * Shows whether the button pauses or resumes.
 *
 * @param {HTMLElement} button
 * @param {boolean} isPaused
 * @param {string} label the agent's name and number
 */
export function showPauseControl(button, isPaused, label) {
  const verb = isPaused ? "Resume" : "Pause";
  if (button.title !== verb && button.title !== "") markChanged(button);
  button.title = verb;
  button.dataset.action = isPaused ? "unpause" : "pause";
  setIcon(find(button, "svg", SVGElement), isPaused ? "resume" : "paused");
  setText(find(button, "span"), `${verb} ${label}`);
}
