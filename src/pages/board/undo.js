// The inverse of a change. This module neither sends nor draws.

import { MAX_QUEUES } from "../shared/api.js";
import { textProblem } from "../shared/dialog.js";
import { findReason } from "../shared/reasons.js";
import { parseTime } from "../shared/time.js";

/**
 * @import { Member, PauseReasons } from "../bridge"
 * @import { Row } from "../shared/outcome.js"
 * @import { Membership } from "./memberships.js"
 *
 * @typedef {Record<string, string>} Parameters
 *
 * @typedef {object} Done a change that has succeeded
 * @property {Parameters} parameters as sent
 * @property {Row[]} changed where it succeeded
 * @property {Membership[]} before the agents' memberships before it
 */

/**
 * Returns the requests that restore the changed memberships. The bridge can't restore everything: a
 * pause gets its reason and its end again, but begins anew, and an added agent has no calls yet.
 *
 * @param {Done} done
 * @param {PauseReasons} catalog
 * @param {number} now
 * @returns {Parameters[]}
 */
export function inverseRequests({ parameters, changed, before }, catalog, now) {
  const members = new Map(before.map(({ queue, member }) => [keyOf(member.agent, queue), member]));
  /** @type {Map<string, { parameters: Parameters, agent: string, queues: string[] }>} */
  const byAgent = new Map();
  for (const { agent, queue } of changed) {
    const member = members.get(keyOf(agent, queue));
    const inverse = member && inverseOf(parameters.action, member, catalog, now);
    if (!inverse) continue;
    const key = JSON.stringify([agent, inverse]);
    const request = byAgent.get(key) ?? { parameters: inverse, agent, queues: [] };
    request.queues.push(queue);
    byAgent.set(key, request);
  }
  return mergeAgents([...byAgent.values()]);
}

/**
 * @param {string | null} agent
 * @param {string} queue
 */
function keyOf(agent, queue) {
  return `${agent} ${queue}`;
}

/**
 * Returns the parameters that restore a membership, or null if nothing has changed or the bridge
 * would refuse them.
 *
 * @param {string} action
 * @param {Member} member as it was before the change
 * @param {PauseReasons} catalog
 * @param {number} now
 * @returns {Parameters | null}
 */
function inverseOf(action, member, catalog, now) {
  const pause = member.paused ? restoredPause(member, catalog, now) : null;
  if (action === "remove") {
    if (member.paused && pause === null) return null;
    if (!isAcceptedText(member.alias)) return null;
    const name = member.alias && member.alias !== member.agent ? { alias: member.alias } : null;
    const paused = pause && { paused: "true", ...pause };
    return { action: "add", ...name, penalty: String(member.penalty), ...paused };
  }
  // Another pause that has begun in the meantime is not the one that was ended.
  if (member.paused) return pause && { action: "pause", keep_existing: String(action === "unpause"), ...pause };
  return action === "pause" ? { action: "unpause" } : null;
}

/**
 * Returns whether the bridge accepts a text as a name or a reason. Names and reasons that were not
 * given through the bridge can have commas.
 *
 * @param {string} text
 */
function isAcceptedText(text) {
  return textProblem(text) === "" && text.trim() === text;
}

/**
 * Returns the reason and the rest of a pause, or null if the bridge would refuse such a pause, or if
 * its time is over.
 *
 * @param {Member} member
 * @param {PauseReasons} catalog
 * @param {number} now
 * @returns {Parameters | null}
 */
function restoredPause({ paused_reason: reason, pause_ends_at: endsAt }, catalog, now) {
  const isAccepted = reason
    ? isAcceptedText(reason) && (catalog.other_reasons || findReason(catalog, reason) !== undefined)
    : !catalog.reason_required;
  const end = parseTime(endsAt);
  const seconds = end === null ? null : Math.ceil((end - now) / 1000);
  if (!isAccepted || (seconds !== null && seconds < 1)) return null;
  return { ...(reason ? { reason } : null), ...(seconds === null ? null : { duration: String(seconds) }) };
}

/**
 * Makes one request of those that differ only in the agent. An agent's name makes an `add` of its
 * own.
 *
 * @param {{ parameters: Parameters, agent: string, queues: string[] }[]} requests
 * @returns {Parameters[]}
 */
function mergeAgents(requests) {
  /** @type {Map<string, Parameters>} */
  const merged = new Map();
  for (const { parameters, agent, queues } of requests) {
    for (let start = 0; start < queues.length; start += MAX_QUEUES) {
      const queue = queues.slice(start, start + MAX_QUEUES).join(",");
      const isOwn = parameters.action === "add" && "alias" in parameters;
      const key = JSON.stringify([parameters, queue, isOwn ? agent : ""]);
      const request = merged.get(key);
      if (request) request.agent += `,${agent}`;
      else merged.set(key, { ...parameters, agent, queue });
    }
  }
  return [...merged.values()];
}

/**
 * Returns where the change still stands. An undone pause must not end a pause that somebody else has
 * made since. The other changes are safe to undo: the bridge keeps a pause or a membership that has
 * begun since.
 *
 * @param {Done} done
 * @param {Membership[]} current the agents' memberships now
 * @returns {Row[]}
 */
export function unchangedSince({ parameters: { action, reason = "" }, changed }, current) {
  if (action !== "pause") return changed;
  const isOwn = (/** @type {Member} */ { paused, paused_reason: found }) =>
    paused && (found ?? "").toUpperCase() === reason.toUpperCase();
  const own = new Set(
    current.filter(({ member }) => isOwn(member)).map(({ queue, member }) => keyOf(member.agent, queue)),
  );
  return changed.filter(({ agent, queue }) => own.has(keyOf(agent, queue)));
}
