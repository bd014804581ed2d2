// The table of the Today view. It keeps the elements of rows and columns that stay, so that a new
// report moves neither the focus nor the scroll position.

import { create, createIcon, find, setChildren, setText } from "../shared/dom.js";
import { rowKey, rowName, valueText } from "./today-columns.js";

/**
 * @import { ReportRow } from "../bridge"
 * @import { Column, Sort } from "./today-columns.js"
 *
 * @typedef {object} TableContent
 * @property {Column[]} columns
 * @property {ReportRow[]} rows in the order of the page
 * @property {ReportRow | null} total
 * @property {string} totalName
 * @property {Sort} sort
 *
 * @typedef {object} TableRow
 * @property {HTMLElement} element
 * @property {Map<string, HTMLElement>} cells by column
 */

export class TodayTable {
  #table;
  #head;
  #body;
  #foot;
  #onSort;
  /** @type {Map<string, HTMLElement>} the headers, by column */
  #headers = new Map();
  /** @type {Map<string, TableRow>} by group */
  #rows = new Map();
  /** @type {TableRow} */
  #total = { element: create("tr"), cells: new Map() };

  /**
   * @param {HTMLElement} table
   * @param {(column: Column) => void} onSort called when the user clicks a column's header
   */
  constructor(table, onSort) {
    this.#table = table;
    this.#head = find(table, "thead tr");
    this.#body = find(table, "tbody");
    this.#foot = find(table, "tfoot");
    this.#onSort = onSort;
  }

  /** @param {TableContent} content */
  draw({ columns, rows, total, totalName, sort }) {
    this.#drawHead(columns, sort);
    const shown = rows.map((row) => this.#drawRow(columns, row));
    setChildren(this.#body, shown);
    if (total) {
      this.#updateCells(this.#total, columns, total);
      drawName(find(this.#total.element, "th"), totalName, "");
    }
    setChildren(this.#foot, total ? [this.#total.element] : []);
    this.#table.hidden = false;
  }

  /** Removes everything. */
  clear() {
    this.#table.hidden = true;
    this.#rows.clear();
    this.#body.replaceChildren();
    this.#foot.replaceChildren();
  }

  /**
   * @param {Column[]} columns
   * @param {Sort} sort
   */
  #drawHead(columns, sort) {
    const headers = columns.map((column) => {
      const header = this.#headers.get(column.id) ?? this.#createHeader(column);
      this.#headers.set(column.id, header);
      setText(find(header, "bdi"), column.label);
      const isSorted = column.id === sort.column;
      // Only one header has the attribute: an attribute with the value "none" would be announced too.
      if (isSorted) header.ariaSort = sort.isDescending ? "descending" : "ascending";
      else header.removeAttribute("aria-sort");
      return header;
    });
    setChildren(this.#head, headers);
  }

  /** @param {Column} column */
  #createHeader(column) {
    const button = create("button", { type: "button" }, create("bdi"), createIcon("chevron"));
    button.addEventListener("click", () => this.#onSort(column));
    return create("th", { scope: "col", className: column.kind }, button);
  }

  /**
   * @param {Column[]} columns
   * @param {ReportRow} row
   */
  #drawRow(columns, row) {
    const key = rowKey(row);
    let drawn = this.#rows.get(key);
    if (!drawn) {
      drawn = { element: create("tr", { data: { key } }), cells: new Map() };
      this.#rows.set(key, drawn);
    }
    this.#updateCells(drawn, columns, row);
    const name = rowName(row);
    const number = row.agent ?? "";
    drawName(find(drawn.element, "th"), name, number === name ? "" : number);
    return drawn.element;
  }

  /**
   * @param {TableRow} drawn
   * @param {Column[]} columns
   * @param {ReportRow} row
   */
  #updateCells({ element, cells }, columns, row) {
    const shown = columns.map((column) => {
      const cell = cells.get(column.id) ?? createCell(column);
      cells.set(column.id, cell);
      if (column.kind !== "name") drawValue(cell, column, row);
      return cell;
    });
    setChildren(element, shown);
  }
}

/** @param {Column} column */
function createCell({ id, kind }) {
  if (kind === "name") {
    const parts = [create("span", { className: "name", dir: "auto" }), " ", create("bdi", { className: "number" })];
    return create("th", { scope: "row" }, ...parts);
  }
  return create("td", { className: kind, data: { column: id } }, create("span", { className: "value", dir: "ltr" }));
}

/**
 * @param {HTMLElement} cell
 * @param {string} name
 * @param {string} number
 */
function drawName(cell, name, number) {
  setText(find(cell, ".name"), name);
  setText(find(cell, ".number"), number);
}

/**
 * @param {HTMLElement} cell
 * @param {Column} column
 * @param {ReportRow} row
 */
function drawValue(cell, column, row) {
  const value = column.value(row);
  setText(find(cell, ".value"), valueText(column, row));
  cell.classList.toggle("none", value === 0);
  cell.classList.toggle("problem", column.isProblem && Number(value) > 0);
  const { pauses = 0, overdue_pauses: overdue = 0 } = column.pauses(row) ?? {};
  drawNote(cell, "pauses", pauses, () => [create("b"), "×"]);
  drawNote(cell, "over", overdue, () => [createIcon("warning"), create("b"), create("span", {}, " over limit")]);
}

/**
 * Shows a number under a value. Most values have none.
 *
 * @param {HTMLElement} cell
 * @param {string} className
 * @param {number} count
 * @param {() => (Node | string)[]} createParts returns the text around the number's `<b>`
 */
function drawNote(cell, className, count, createParts) {
  let note = cell.querySelector(`.${className}`);
  if (count === 0) {
    note?.remove();
    return;
  }
  if (!note) {
    note = create("small", { className }, ...createParts());
    cell.append(" ", note);
  }
  setText(find(note, "b"), String(count));
}
