// The agent's day so far, on the agent's page.

import { ApiError } from "../shared/api.js";
import { errorMessage } from "../shared/dialog.js";
import { byId, create, find, setText } from "../shared/dom.js";
import { Refresher } from "../shared/refresher.js";
import { REPORT_INTERVAL, REPORT_RETRY_DELAY, formatDays, formatTimeIn, missingIn, reportZone } from "../shared/report.js";
import { dayEntries } from "./own-day.js";

/**
 * @import { Report } from "../bridge"
 * @import { Api } from "../shared/api.js"
 * @import { Clock } from "../shared/time.js"
 * @import { DayEntry } from "./own-day.js"
 */

export class MyDay {
  #api;
  #clock;
  #refresher = new Refresher((isCurrent) => this.#read(isCurrent));
  #state = "";

  /**
   * @param {Api} api
   * @param {Clock} clock
   */
  constructor(api, clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /**
   * Shows or hides the day. Reads it again if the agent's state has changed.
   *
   * @param {boolean} isShown
   * @param {string} state
   */
  update(isShown, state) {
    byId("my-day").hidden = !isShown;
    this.#refresher.setActive(isShown);
    if (isShown && this.#state !== "" && this.#state !== state) this.#refresher.refresh();
    this.#state = state;
  }

  /** @param {() => boolean} isCurrent */
  async #read(isCurrent) {
    try {
      // The bridge reports only the agent's own work to an agent.
      const report = await this.#api.read({ action: "showreport" });
      if (isCurrent()) this.#draw(report);
      return REPORT_INTERVAL;
    } catch (error) {
      const isStorage = error instanceof ApiError && error.code === "storage_unavailable";
      const text = isStorage ? "The bridge can’t read your day now." : errorMessage(error);
      if (isCurrent()) setText(byId("my-day-failure"), text);
      return REPORT_RETRY_DELAY;
    }
  }

  /** @param {Report} report */
  #draw(report) {
    const [row] = report.rows;
    const zone = reportZone(report);
    const asOf = `${formatDays(report)}, as of ${formatTimeIn(this.#clock.now(), zone)}`;
    setText(find(byId("my-day"), ".as-of"), asOf);
    find(byId("my-day"), "dl").replaceChildren(...(row ? dayEntries(row) : []).map(entryElement));
    setText(byId("my-day-empty"), row ? "" : "Nothing is recorded for you today.");
    const missing = missingIn(report);
    setText(byId("my-day-missing"), missing ? [missing.text, ...missing.gaps].join(" ") : "");
    setText(byId("my-day-failure"), "");
  }
}

/** @param {DayEntry} entry */
function entryElement({ label, value, note, isReason }) {
  const name = create("dt", { dir: "auto" }, label);
  const number = create("dd", {}, create("small", {}, note), " ", value);
  return create("div", { className: isReason ? "reason" : "" }, name, number);
}
