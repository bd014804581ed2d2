// The bar for the chosen people. Its place is at the bottom of the page, below all rows.

import { byId, find, setText } from "../shared/dom.js";
import { membershipsOf } from "./memberships.js";

/**
 * @import { Board } from "../shared/state.js"
 * @import { Commands } from "./commands.js"
 * @import { Selection } from "./selection.js"
 */

export class BulkBar {
  #bar = byId("bulk");
  #board;
  #selection;

  /**
   * @param {Board} board
   * @param {Selection} selection
   * @param {Commands} commands
   */
  constructor(board, selection, commands) {
    this.#board = board;
    this.#selection = selection;
    this.#bar.addEventListener("click", ({ target }) => {
      const button = target instanceof Element ? target.closest("button") : null;
      const action = button?.dataset.action;
      if (action === "pause" || action === "unpause" || action === "remove") {
        commands.runForChosen(action);
      } else if (button !== null) {
        selection.clear();
      }
    });
  }

  /** Shows how many people are chosen. Those who have left all queues no longer are. */
  draw() {
    const { agents } = this.#selection;
    if (agents.length > 0) {
      const present = new Set(membershipsOf(this.#board.queues.values(), agents).map(({ member }) => member.agent));
      this.#selection.retain((agent) => present.has(agent));
    }
    const { length } = this.#selection.agents;
    const hadFocus = this.#bar.contains(document.activeElement);
    this.#bar.hidden = length === 0;
    // Otherwise the focus would be nowhere.
    if (hadFocus && length === 0) byId("board").focus({ preventScroll: true });
    setText(find(this.#bar, "p"), length === 0 ? "" : `${length} chosen`);
  }
}
