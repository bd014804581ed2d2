// Decides which queues the wall screen shows, and how large. This module does not touch the page.

/**
 * @typedef {object} Grid
 * @property {number} columns
 * @property {number} rows
 * @property {number} gap between two tiles, in pixels
 * @property {number} unit the font sizes in wall.css are multiples of this number of pixels
 *
 * @typedef {object} Candidate
 * @property {string} id
 * @property {boolean} isFirst whether the queue is shown before the calm ones
 */

/** The most queues that are shown. More tiles would be too small to read. */
export const MOST_TILES = 32;

// The height of a tile's content is one unit, and its width at most this number of units.
const WIDTH_IN_UNITS = 1.92;

// Below this font size in units, two lines fit into the height of a name. Must match wall.css.
const TWO_LINES = 0.114;

// The gap between tiles, as a share of the screen's shorter side.
const GAP = 0.011;

/**
 * Divides an area into equal tiles, so that their text is as large as possible.
 *
 * @param {number} count the number of tiles
 * @param {number} width of the area, in pixels
 * @param {number} height of the area, in pixels
 * @returns {Grid}
 */
export function tileGrid(count, width, height) {
  const gap = Math.round(Math.min(width, height) * GAP);
  /** @type {Grid} */
  let best = { columns: 1, rows: 1, gap, unit: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const tileWidth = (width - (columns - 1) * gap) / columns;
    const tileHeight = (height - (rows - 1) * gap) / rows;
    const unit = Math.min(tileHeight, tileWidth / WIDTH_IN_UNITS);
    if (unit > best.unit) best = { columns, rows, gap, unit };
  }
  return best;
}

/**
 * Returns the font size of the head line in pixels. On an upright screen, the line has two rows.
 *
 * @param {number} width of the screen, in pixels
 * @param {number} height of the screen, in pixels
 */
export function headSize(width, height) {
  return width > height ? Math.min(height * 0.05, width / 33) : Math.min(height * 0.035, width / 22);
}

/**
 * Returns the font sizes to try for a name, in units, until it fits: first in one line, and below
 * that in several.
 *
 * @returns {{ size: number, wraps: boolean }[]}
 */
export function nameSizes() {
  const sizes = [];
  for (let size = 0.175; size > 0.03; size *= 0.92) sizes.push({ size, wraps: size < TWO_LINES });
  return sizes;
}

/**
 * Chooses the queues that are shown. All queues have fixed places, unless there are more than
 * `MOST_TILES`: then those with an alarm come first.
 *
 * @param {Candidate[]} queues in configured order
 * @returns {{ shown: string[], hidden: string[] }}
 */
export function chooseQueues(queues) {
  const order =
    queues.length <= MOST_TILES
      ? queues
      : [...queues.filter(({ isFirst }) => isFirst), ...queues.filter(({ isFirst }) => !isFirst)];
  const ids = order.map(({ id }) => id);
  return { shown: ids.slice(0, MOST_TILES), hidden: ids.slice(MOST_TILES) };
}
