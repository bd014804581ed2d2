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

  /** @param {Identity} identity as the bridge has just sent it */
  set(identity) {
    this.#identity = identity;
  }

  /**
   * Returns whether the user may do this action. Until the bridge has answered, nothing is allowed.
   *
   * @param {string} action
   */
  allows(action) {
    return this.#identity?.actions.includes(action) ?? false;
  }

  /**
   * Returns whether the user may change this agent. A user can see colleagues without being allowed to
   * change them.
   *
   * @param {string | null} agent null for a member who is none of the organization's agents
   */
  includes(agent) {
    const patterns = this.#identity?.agents ?? null;
    return agent !== null && (patterns === null || patterns.some((pattern) => matches(pattern, agent)));
  }
}

/**
 * Returns whether a number, a pattern with one `*`, or a range such as `1001-1099` includes an agent.
 * Like the bridge, ignores the case of letters.
 *
 * @param {string} pattern as configured
 * @param {string} agent
 */
export function matches(pattern, agent) {
  const range = /^(\d+)-(\d+)$/.exec(pattern);
  if (range) {
    const [, first, last] = range;
    // All have the same number of digits, so that the texts compare like numbers.
    return /^\d+$/.test(agent) && agent.length === first.length && first <= agent && agent <= last;
  }
  const [key, text] = [pattern.toLowerCase(), agent.toLowerCase()];
  if (!key.includes("*")) return text === key;
  const [prefix, suffix] = key.split("*");
  return text.length >= prefix.length + suffix.length && text.startsWith(prefix) && text.endsWith(suffix);
}
