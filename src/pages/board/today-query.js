// The choice of days and of the grouping of the Today view.

import { byId } from "../shared/dom.js";
import { dateIn, dayBefore } from "../shared/report.js";

/**
 * @import { Report } from "../bridge"
 * @import { Clock } from "../shared/time.js"
 * @import { Grouping } from "./today-columns.js"
 */

export class TodayQuery {
  #clock;
  // The bridge's reports name the organization's zone. The first one is about today, which the bridge
  // knows.
  #zone = "UTC";
  #days = "today";
  /** @type {Grouping} */
  #by = "agent";
  #from = byId("report-from", HTMLInputElement);
  #to = byId("report-to", HTMLInputElement);

  /**
   * @param {Clock} clock
   * @param {() => void} onChange called when the user has chosen something else
   */
  constructor(clock, onChange) {
    this.#clock = clock;
    byId("report-days").addEventListener("change", ({ target }) => {
      if (!(target instanceof HTMLInputElement)) return;
      this.#days = target.value;
      this.#showRange();
      onChange();
    });
    byId("report-by").addEventListener("change", ({ target }) => {
      if (target instanceof HTMLInputElement) this.#by = /** @type {Grouping} */ (target.value);
      onChange();
    });
    for (const [input, other] of [[this.#from, this.#to], [this.#to, this.#from]]) {
      input.addEventListener("change", () => {
        // While the user types, a date can be incomplete.
        if (!input.checkValidity() || input.value === "") return;
        if (this.#from.value > this.#to.value || other.value === "") other.value = input.value;
        onChange();
      });
    }
  }

  /** @returns {Grouping} */
  get by() {
    return this.#by;
  }

  /** Today's date in the organization's time zone. */
  get today() {
    return dateIn(this.#clock.now(), this.#zone);
  }

  /** @param {string} zone */
  setZone(zone) {
    this.#zone = zone;
  }

  /** The parameters of the request. Without days, the bridge reports today. */
  get parameters() {
    const days = this.#chosenDays;
    return { action: "showreport", by: this.#by, ...days };
  }

  /**
   * Returns whether the report is about the chosen days and has the chosen grouping.
   *
   * @param {Report} report
   */
  isAnsweredBy({ from, to, by }) {
    const days = this.#chosenDays ?? { from: this.today, to: this.today };
    return by.includes(this.#by) && days.from === from && days.to === to;
  }

  get #chosenDays() {
    if (this.#days === "yesterday") {
      const day = dayBefore(this.today);
      return { from: day, to: day };
    }
    return this.#days === "other" ? { from: this.#from.value, to: this.#to.value } : null;
  }

  /** Shows the fields for other days. They begin with yesterday. */
  #showRange() {
    byId("report-range").hidden = this.#days !== "other";
    for (const input of [this.#from, this.#to]) {
      input.max = this.today;
      input.value ||= dayBefore(this.today);
    }
  }
}
