// Covers the whole wall screen while its numbers may be out of date.

import { byId, find, setText } from "../shared/dom.js";
import { formatTimeOfDay } from "../shared/time.js";

/**
 * @import { Disconnected } from "../shared/stream.js"
 * @import { Clock } from "../shared/time.js"
 */

export class WallNotice {
  #clock;
  #isRefused;

  /**
   * @param {Clock} clock
   * @param {boolean} isRefused whether the screen shows that it has no access, until it is live
   */
  constructor(clock, isRefused) {
    this.#clock = clock;
    this.#isRefused = isRefused;
  }

  showLive() {
    byId("cover").hidden = true;
    byId("wall").inert = false;
  }

  showConnecting() {
    if (!this.#isRefused) showCover("Connecting…", "", "");
  }

  /** @param {number} displayedSince when the displayed state was received; 0 if none is displayed */
  showPbxLost(displayedSince) {
    showCover("The phone system is not connected.", "", this.#ageText(displayedSince));
  }

  /**
   * @param {Disconnected} status
   * @param {number} displayedSince
   */
  showLost({ error }, displayedSince) {
    if (error.code === "pbx_unavailable") this.showPbxLost(displayedSince);
    else showCover("Connection lost.", error.message, this.#ageText(displayedSince));
  }

  /**
   * Returns the time of the displayed numbers, on the clock at the top of the screen.
   *
   * @param {number} displayedSince on the browser's clock
   */
  #ageText(displayedSince) {
    if (displayedSince === 0) return "";
    const time = this.#clock.now() - (Date.now() - displayedSince);
    return `The numbers are those of ${formatTimeOfDay(time)}.`;
  }
}

/**
 * Covers the screen with a message.
 *
 * @param {string} title
 * @param {string} reason
 * @param {string} age
 */
export function showCover(title, reason, age) {
  const cover = byId("cover");
  cover.hidden = false;
  // Nothing below the cover can get the focus.
  byId("wall").inert = true;
  setText(find(cover, "strong"), title);
  setText(find(cover, ".reason"), reason);
  setText(find(cover, ".age"), age);
}
