// A member's name, state and reason in words.

import { isolate } from "./dom.js";
import { searchKey } from "./search.js";

/**
 * @import { Member } from "../bridge"
 * @import { SearchText } from "./search.js"
 */

/** @type {Record<string, string>} */
export const STATE_LABELS = {
  available: "Available",
  in_call: "In call",
  ringing: "Ringing",
  on_hold: "On hold",
  wrap_up: "Wrap-up",
  paused: "Paused",
  unavailable: "Unavailable",
};

/**
 * Returns a state in words.
 *
 * @param {string} state
 */
export function stateLabel(state) {
  return STATE_LABELS[state] ?? state.replaceAll("_", " ");
}

/** @param {Member} member */
export function displayName({ alias, agent, interface: address }) {
  return alias || agent || address;
}

/**
 * Returns the display name in a `<bdi>`, so that its writing direction does not affect the text
 * around it.
 *
 * @param {Member} member
 */
export function nameElement(member) {
  return isolate(displayName(member));
}

/**
 * Returns the member's state in words. A pause by Asterisk because of a missed call is part of
 * the state.
 *
 * @param {Member} member
 */
export function stateText({ state, paused, auto_paused: isAutoPaused }) {
  const label = stateLabel(state);
  const text = paused && state !== "paused" ? `${label}, paused` : label;
  return isAutoPaused ? `${text} for a missed call` : text;
}

/**
 * Returns the reason of a pause that a person has made, or an empty text.
 *
 * @param {Member} member
 */
export function reasonText({ paused, paused_reason: reason, auto_paused: isAutoPaused }) {
  return paused && !isAutoPaused ? (reason ?? "") : "";
}

/**
 * Returns the text in which a search for the member looks: name, number, state and reason.
 *
 * @param {Member} member
 * @returns {SearchText}
 */
export function memberSearchText(member) {
  const { alias, agent, interface: address, state, pause_overdue: isOverdue } = member;
  const text = [alias, agent, address, reasonText(member)].filter(Boolean).join(" ");
  const words = [stateText(member), state === "available" ? "free" : "", isOverdue ? "over limit" : ""];
  return { text: searchKey(text), words: searchKey(words.join(" ")) };
}
