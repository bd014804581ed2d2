// Searches, which ignore case and accents.

/**
 * The normalized text in which a search looks.
 *
 * @typedef {object} SearchText
 * @property {string} text found at any place, such as a part of a phone number
 * @property {string} [words] found only from the beginning of a word: "available" does not find
 *   "unavailable"
 */

/**
 * Normalizes a text for searches.
 *
 * @param {string} text
 */
export function searchKey(text) {
  return text.normalize("NFKD").replace(/\p{Mn}/gu, "").toLowerCase();
}

/**
 * Returns the terms of a search, all of which must be found.
 *
 * @param {string} text as entered by the user
 */
export function searchTerms(text) {
  return searchKey(text).split(/\s+/).filter(Boolean);
}

/**
 * Returns whether every term is found in at least one of the texts.
 *
 * @param {string[]} terms
 * @param {...SearchText} texts
 */
export function isFound(terms, ...texts) {
  return terms.every((term) =>
    texts.some(({ text, words = "" }) => text.includes(term) || ` ${words}`.includes(` ${term}`)),
  );
}
