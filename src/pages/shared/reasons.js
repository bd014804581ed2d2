// The organization's pause reasons, as configured.

import { ApiError } from "./api.js";
import { formatLimit } from "./time.js";

/**
 * @import { PauseReason, PauseReasons } from "../bridge"
 * @import { Api } from "./api.js"
 */

// The bridge accepts durations up to 24 hours.
const MAX_MINUTES = 1440;

/**
 * The user enters any reason. Used if the user may not read the organization's reasons.
 *
 * @type {PauseReasons}
 */
const ANY_REASON = { reason_required: false, other_reasons: true, reasons: [] };

/** The organization's reasons, as last read from the bridge. */
export class Reasons {
  #api;
  /** @type {PauseReasons | null} */
  #catalog = null;
  /** @type {Promise<void> | null} */
  #reading = null;

  /** @param {Api} api */
  constructor(api) {
    this.#api = api;
  }

  /**
   * Reads the reasons. They change only with the bridge's configuration, and then the bridge also
   * ends the event stream.
   */
  refresh() {
    this.#reading = this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /** Returns the reasons. Waits for them only if none have been read yet. */
  async get() {
    if (this.#catalog === null) await (this.#reading ?? this.refresh());
    return this.#catalog ?? ANY_REASON;
  }

  /** Returns the reasons, after a read that is under way. */
  async getLatest() {
    await this.#reading;
    return this.get();
  }

  async #read() {
    try {
      this.#catalog = await this.#api.read({ action: "showreasons" });
    } catch (error) {
      const isForbidden = error instanceof ApiError && error.code === "forbidden";
      // After any other failure, the reasons that are already known stay in use.
      if (isForbidden) this.#catalog = ANY_REASON;
    }
  }
}

/**
 * Returns the limit of a reason as shown to the user, or an empty text if it has no limit.
 *
 * @param {PauseReason} reason
 */
export function limitText({ limit_seconds: limit, ends }) {
  if (limit === null) return "";
  return ends ? `${formatLimit(limit)}, ends automatically` : `up to ${formatLimit(limit)}`;
}

/**
 * Returns the listed reason with this name. Ignores case, as the bridge does.
 *
 * @param {PauseReasons} catalog
 * @param {string} name
 */
export function findReason({ reasons }, name) {
  const key = name.toUpperCase();
  return reasons.find(({ reason }) => reason.toUpperCase() === key);
}

/**
 * Returns the longest duration that the bridge accepts for a pause with this reason, in whole
 * minutes. Returns 0 if the bridge ends such a pause in less than a minute.
 *
 * @param {PauseReason | undefined} reason
 */
export function maxMinutes(reason) {
  if (!reason?.ends || reason.limit_seconds === null) return MAX_MINUTES;
  return Math.min(MAX_MINUTES, Math.floor(reason.limit_seconds / 60));
}
