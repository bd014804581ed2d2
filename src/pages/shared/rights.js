// The changes that the user may make. The pages show no control for any other change.

/**
 * @import { Identity } from "../bridge"
 * @import { Api } from "./api.js"
 */

/** The user's rights, as last read from the bridge. */
export class Rights {
  #api;
  /** @type {Identity | null} */
  #identity = null;

  /** @param {Api} api */
  constructor(api) {
    this.#api = api;
  }

  /**
   * Reads the rights. They change only with the bridge's configuration, and then the bridge also
   * ends the event stream.
   */
  async refresh() {
    try {
      this.#identity = await this.#api.read({ action: "whoami" });
    } catch {
      // The rights that are already known stay in use. If the connection is lost, the stream
      // reports it.
    }
  }

  /**
   * Returns whether the user may do this action. Until the bridge has answered, nothing is allowed.
   *
   * @param {string} action
   */
  allows(action) {
    return this.#identity?.actions.includes(action) ?? false;
  }
}
