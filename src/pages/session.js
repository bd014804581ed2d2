// What goes on between a login and its end: the stream feeds the board, the board the
// page, and the page says how the link is.

import { Api } from "./api.js";
import { Changes } from "./changes.js";
import { LinkNotice } from "./notices.js";
import { Board } from "./state.js";
import { EventStream } from "./stream.js";
import { Clock } from "./time.js";
import { View } from "./view.js";

// The events bring the figures of queues in which something happens; of the others
// they come from here.
const FIGURES = 30_000;

// Tells its owner:
//   entered()                  the user is let in
//   refused(message, entered)  the bridge refuses, and this session has ended
export class Session {
  #owner;
  #preferences;
  #clock = new Clock();
  #entered = false;
  #heard = 0;
  #board = new Board();
  // From when the user is let in.
  #view = null;
  #notice = null;

  // `entered`: with what was remembered, and so shown before the bridge has answered.
  constructor({ credentials, preferences, entered, owner }) {
    this.#owner = owner;
    this.#preferences = preferences;
    this.api = new Api(document.documentElement.dataset.interface, credentials, this.#clock);
    this.changes = new Changes(this.api, this.#board, preferences);
    this.stream = new EventStream(this.api, this);
    if (entered) this.#enter();
    this.stream.run();
  }

  refresh() {
    this.#view?.refresh();
  }

  event({ type, data }) {
    this.#heard = Date.now();
    const change = this.#board.apply({ type, data }, this.#clock.now());
    if (type === "snapshot") this.#figures();
    if (type === "snapshot" || type === "pbx") this.#status();
    if (change) this.#view.changed(change);
  }

  link(link) {
    if (link.state === "open") {
      if (!this.#entered) this.#enter();
      this.#board.connected = true;
      this.#status();
      return;
    }
    const { code, message } = link.refusal;
    const refused = code === "unauthorized" || code === "forbidden";
    // With the right password the telephone system may still be away.
    const admitted = this.#entered || code === "pbx_unavailable";
    if (refused || !admitted) {
      this.stream.end();
      this.#owner.refused(message, this.#entered);
      return;
    }
    if (!this.#entered) this.#enter();
    this.#view.live(false);
    this.#notice.lost({ ...link, heard: this.#board.loaded ? link.heard : 0 });
  }

  #enter() {
    this.#entered = true;
    this.#view = new View(this.#board, this.#clock, this.#preferences);
    this.#notice = new LinkNotice(() => this.stream.wake());
    setInterval(() => this.#figures(), FIGURES);
    this.#owner.entered();
    this.#notice.connecting();
    this.#view.refresh();
  }

  #status() {
    const live = this.#board.connected && this.#board.loaded;
    if (live) this.#notice.live();
    else if (this.#board.connected) this.#notice.connecting();
    else this.#notice.unlinked(this.#board.loaded ? this.#heard : 0);
    this.#view.live(live);
  }

  async #figures() {
    if (!this.#board.loaded || !this.#board.connected) return;
    try {
      const { queues } = await this.api.read({ action: "showqueuestat" });
      this.#board.figures(queues);
      this.#view.refresh();
    } catch {
      // The board lives without them, and the stream says if the link is lost.
    }
  }
}
