// The response to a change of one or several agents, as one list of results.

import { adviceFor } from "./api.js";

/**
 * @import { ChangeBody, QueueResult } from "../bridge"
 *
 * @typedef {object} Row the result in one queue
 * @property {string} agent
 * @property {string} queue
 *
 * @typedef {{ agent: string, message: string }} Failure
 *
 * @typedef {object} Outcome
 * @property {Row[]} changed
 * @property {Row[]} existing where `keep_existing` has left an earlier pause as it was
 * @property {Row[]} fixed memberships that only the phone system's configuration can end
 * @property {Failure[]} failures
 */

/**
 * Reads the response to a change. Also reads the rows of an error response, in which every agent
 * has failed.
 *
 * @param {ChangeBody} body
 * @returns {Outcome}
 */
export function readOutcome({ agent = "", queues = [], agents }) {
  /** @type {Outcome} */
  const outcome = { changed: [], existing: [], fixed: [], failures: [] };
  for (const entry of agents ?? [{ agent, queues }]) readAgent(entry, outcome);
  return outcome;
}

/**
 * @param {{ agent: string, queues: QueueResult[], code?: string, message?: string }} entry
 * @param {Outcome} outcome
 */
function readAgent({ agent, queues, code, message }, outcome) {
  /** @type {Set<string>} */
  const messages = new Set();
  for (const row of queues) {
    const result = { agent, queue: row.queue };
    if (row.kept) outcome.existing.push(result);
    else if (row.result === "ok") outcome.changed.push(result);
    else if (row.code === "static_member") outcome.fixed.push(result);
    else messages.add(withAdvice(row));
  }
  if (queues.length === 0 && code !== undefined) messages.add(withAdvice({ code, message }));
  if (messages.size > 0) outcome.failures.push({ agent, message: [...messages].join(" ") });
}

/** @param {{ code?: string, message?: string }} row */
function withAdvice({ code = "", message = "" }) {
  return [message, adviceFor(code)].filter(Boolean).join(" ");
}

/**
 * Returns the queues of these rows, without repetitions.
 *
 * @param {Row[]} rows
 */
export function queuesOf(rows) {
  return [...new Set(rows.map(({ queue }) => queue))];
}

/**
 * Returns the agents of these rows, without repetitions.
 *
 * @param {Row[]} rows
 */
export function agentsOf(rows) {
  return [...new Set(rows.map(({ agent }) => agent))];
}
