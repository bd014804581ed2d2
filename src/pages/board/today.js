// The Today view: the day's work by agent, queue or reason, as the bridge reports it.

import { ApiError } from "../shared/api.js";
import { errorMessage } from "../shared/dialog.js";
import { byId, create, find, setText } from "../shared/dom.js";
import { toast } from "../shared/notices.js";
import { whileBusy } from "../shared/pending.js";
import { Refresher } from "../shared/refresher.js";
import { REPORT_INTERVAL, REPORT_RETRY_DELAY, formatDays, formatTimeIn, missingIn, reportZone } from "../shared/report.js";
import { isFound } from "../shared/search.js";
import { hiddenReasonCount, reportColumns, rowSearchText, sortRows, totalOf } from "./today-columns.js";
import { TodayQuery } from "./today-query.js";
import { TodayTable } from "./today-table.js";

/**
 * @import { Report, ReportRow } from "../bridge"
 * @import { Api } from "../shared/api.js"
 * @import { Reasons } from "../shared/reasons.js"
 * @import { Clock } from "../shared/time.js"
 * @import { Column, Sort } from "./today-columns.js"
 *
 * @typedef {object} Shown a report on the page
 * @property {Report} report
 * @property {ReportRow | null} total
 * @property {string[]} configuredReasons
 * @property {number} readAt in milliseconds
 */

export class Today {
  #api;
  #clock;
  #reasons;
  #onDrawn;
  #query;
  #table = new TodayTable(byId("report-table"), (column) => this.#sortBy(column));
  #refresher = new Refresher((isCurrent) => this.#read(isCurrent));
  /** @type {Shown | null} */
  #shown = null;
  /** @type {Sort} */
  #sort = { column: "name", isDescending: false };
  /** @type {string[]} of the search */
  #terms = [];
  #failure = "";
  #foundCount = 0;

  /**
   * @param {object} options
   * @param {Api} options.api
   * @param {Clock} options.clock
   * @param {Reasons} options.reasons
   * @param {() => void} options.onDrawn
   */
  constructor({ api, clock, reasons, onDrawn }) {
    this.#api = api;
    this.#clock = clock;
    this.#reasons = reasons;
    this.#onDrawn = onDrawn;
    this.#query = new TodayQuery(clock, () => this.#refresher.refresh());
    byId("report-csv").addEventListener("click", () => this.#saveCsv());
  }

  /**
   * Shows or hides the view, with the rows that the search finds.
   *
   * @param {boolean} isShown
   * @param {string[]} terms
   */
  show(isShown, terms) {
    this.#terms = terms;
    this.#refresher.setActive(isShown);
    if (isShown) this.#draw();
  }

  /** The numbers of rows, and the text instead of rows if there are none. */
  get summary() {
    const all = this.#shown?.report.rows.length ?? 0;
    const isFailed = this.#shown === null && this.#failure !== "";
    const loaded = this.#shown === null ? "Loading…" : "Nothing was recorded.";
    const text = all > 0 ? "No row matches the search." : loaded;
    return { all, shown: this.#foundCount, noun: this.#query.by, emptyText: isFailed ? "" : text };
  }

  /**
   * Reads the report and its total. The bridge unites overlapping times, so that the total of the
   * agents' or the queues' rows is not their sum.
   *
   * @param {() => boolean} isCurrent
   */
  async #read(isCurrent) {
    const parameters = this.#query.parameters;
    try {
      /** @type {[Report, Report, { reasons: { reason: string }[] }]} */
      const [report, days, { reasons }] = await Promise.all([
        this.#api.read(parameters),
        this.#api.read({ ...parameters, by: "day" }),
        this.#reasons.get(),
      ]);
      if (!isCurrent()) return null;
      const configuredReasons = reasons.map(({ reason }) => reason);
      this.#showReport({ report, total: totalOf(days.rows), configuredReasons, readAt: this.#clock.now() });
      const isOver = report.to < this.#query.today;
      return isOver ? null : REPORT_INTERVAL;
    } catch (error) {
      if (!isCurrent()) return null;
      this.#showFailure(error);
      return REPORT_RETRY_DELAY;
    }
  }

  /** @param {Shown} shown */
  #showReport(shown) {
    const before = this.#shown?.report;
    if (before?.by.join() !== shown.report.by.join()) this.#table.clear();
    this.#shown = shown;
    this.#failure = "";
    this.#query.setZone(reportZone(shown.report));
    this.#draw();
  }

  /** @param {unknown} error */
  #showFailure(error) {
    const isStorage = error instanceof ApiError && error.code === "storage_unavailable";
    this.#failure = isStorage ? "The bridge can’t read the day’s work now." : errorMessage(error);
    // A report about other days would be taken for the chosen ones.
    if (this.#shown && !this.#query.isAnsweredBy(this.#shown.report)) {
      this.#shown = null;
      this.#table.clear();
    }
    this.#draw();
  }

  /** @param {Column} column */
  #sortBy({ id, kind }) {
    const isSame = this.#sort.column === id;
    this.#sort = { column: id, isDescending: isSame ? !this.#sort.isDescending : kind !== "name" };
    this.#draw();
  }

  #draw() {
    this.#drawNotice();
    this.#foundCount = 0;
    const shown = this.#shown;
    byId("report-csv", HTMLButtonElement).disabled = shown === null;
    byId("report-scroller").hidden = shown === null || shown.report.rows.length === 0;
    setText(byId("report-title"), shown ? formatDays(shown.report) : "");
    setText(byId("report-as-of"), shown ? asOfText(shown) : "");
    if (shown) this.#drawTable(shown);
    this.#onDrawn();
  }

  /** @param {Shown} shown */
  #drawTable({ report, total, configuredReasons }) {
    const by = this.#query.by;
    if (!report.by.includes(by)) return;
    const columns = reportColumns(by, total, configuredReasons);
    const sorted = columns.find(({ id }) => id === this.#sort.column) ?? columns[0];
    const found = report.rows.filter((row) => isFound(this.#terms, rowSearchText(row)));
    this.#foundCount = found.length;
    this.#table.draw({
      columns,
      rows: sortRows(found, sorted, this.#sort.isDescending),
      total,
      totalName: `All ${by}s`,
      sort: { ...this.#sort, column: sorted.id },
    });
  }

  /** Shows the gaps of the report, and why a newer one could not be read. */
  #drawNotice() {
    const shown = this.#shown;
    const missing = shown && missingIn(shown.report);
    const notice = byId("report-notice");
    notice.hidden = !missing && this.#failure === "";
    setText(find(notice, "strong"), missing ? "This report is not complete." : "");
    const hidden = hiddenReasonCount(shown?.total ?? null);
    const reasons = hidden > 0 && this.#query.by !== "reason" ? `${hidden} more reasons are in the report by reason.` : "";
    setText(find(notice, "span"), missing?.text ?? "");
    setText(byId("report-failure"), this.#failure);
    setText(byId("report-reasons"), reasons);
    const gaps = byId("report-gaps");
    gaps.hidden = !missing || missing.gaps.length === 0;
    const list = find(gaps, "ul");
    const texts = missing?.gaps ?? [];
    if (list.textContent !== texts.join("")) list.replaceChildren(...texts.map((text) => create("li", {}, text)));
  }

  /** Saves the shown report as CSV. */
  async #saveCsv() {
    const button = byId("report-csv");
    if (button.ariaBusy === "true" || !this.#shown) return;
    const { from, to, by } = this.#shown.report;
    const days = from === to ? from : `${from}-to-${to}`;
    await whileBusy(button, async () => {
      const file = await this.#api.readFile({ action: "showreport", from, to, by: by.join(), format: "csv" });
      const url = URL.createObjectURL(file);
      create("a", { href: url, download: `report-${days}-by-${by.join("-")}.csv` }).click();
      URL.revokeObjectURL(url);
    }).catch((error) => toast([errorMessage(error)], { isError: true }));
  }
}

/** @param {Shown} shown */
function asOfText({ report, readAt }) {
  const zone = reportZone(report);
  return `as of ${formatTimeIn(readAt, zone)}, ${zone.replaceAll("_", " ")}`;
}
