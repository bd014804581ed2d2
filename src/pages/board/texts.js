// The results of changes in words.

import { isolate } from "../shared/dom.js";
import { agentsOf, queuesOf } from "../shared/outcome.js";
import { formatCount } from "../shared/time.js";

/**
 * @import { Content } from "../shared/dialog.js"
 * @import { Failure, Outcome, Row } from "../shared/outcome.js"
 * @import { Parameters } from "./undo.js"
 *
 * @typedef {(agent: string) => Content} NameOf
 */

/**
 * Returns where the change succeeded. Empty if it succeeded nowhere.
 *
 * @param {Parameters} parameters as sent
 * @param {Outcome} outcome
 * @param {NameOf} nameOf
 * @returns {Content[]}
 */
export function resultText({ action, alias, reason }, { changed }, nameOf) {
  const agents = agentsOf(changed);
  if (agents.length === 0) return [];
  const queues = queuesText(changed);
  const isOne = agents.length === 1;
  const who = isOne ? [alias ? isolate(alias) : nameOf(agents[0])] : [`${agents.length} people`];
  switch (action) {
    case "pause":
      return [...who, ` ${isOne ? "is" : "are"} paused in ${queues}`, ...(reason ? [": ", isolate(reason)] : []), "."];
    case "unpause":
      return [...who, ` ${isOne ? "takes" : "take"} calls again in ${queues}.`];
    case "remove":
      return [...who, ` ${isOne ? "was" : "were"} removed from ${queues}.`];
    default:
      return [...who, ` ${isOne ? "was" : "were"} added to ${queues}.`];
  }
}

/**
 * Returns which pauses were left as they were.
 *
 * @param {Outcome} outcome
 * @param {NameOf} nameOf
 * @returns {Content[]}
 */
export function existingText({ existing }, nameOf) {
  const agents = agentsOf(existing);
  if (agents.length === 0) return [];
  if (agents.length > 1) return [" The pauses of ", ...list(agents.map(nameOf)), " were left as they are."];
  const queues = queuesOf(existing).join(", ");
  return [` The pause in queue ${queues} was left as it is.`];
}

/**
 * Returns which memberships stay because the phone system's configuration contains them.
 *
 * @param {Outcome} outcome
 * @param {NameOf} nameOf
 * @returns {Content[]}
 */
export function fixedText({ fixed }, nameOf) {
  return agentsOf(fixed).flatMap((agent) => [
    " ", nameOf(agent), ` stays in ${queuesText(fixed.filter((row) => row.agent === agent))}: `,
    "only the administrator of the phone system can change this.",
  ]);
}

/**
 * Returns who failed and why. Several failures are named by agent.
 *
 * @param {Outcome} outcome
 * @param {NameOf} nameOf
 * @returns {Content[]}
 */
export function failedText({ changed, existing, failures }, nameOf) {
  const isOne = failures.length === 1 && agentsOf([...changed, ...existing]).every((agent) => agent === failures[0].agent);
  if (isOne) return [` ${failures[0].message}`];
  return groupFailures(failures).flatMap(({ agents, message }) => [" ", ...list(agents.map(nameOf)), `: ${message}`]);
}

/**
 * Returns each message once, with the agents whom it concerns.
 *
 * @param {Failure[]} failures
 */
export function groupFailures(failures) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const { agent, message } of failures) groups.set(message, [...(groups.get(message) ?? []), agent]);
  return [...groups].map(([message, agents]) => ({ agents, message }));
}

/**
 * Returns what these requests can't restore, or an empty text.
 *
 * @param {Parameters[]} requests
 */
export function undoHint(requests) {
  const hints = [];
  if (requests.some(({ action, paused }) => action === "pause" || paused)) {
    hints.push("This is a new pause: its time begins now.");
  }
  if (requests.some(({ action }) => action === "add")) {
    hints.push("The counts of calls begin at zero.");
  }
  return hints.join(" ");
}

/** @param {Row[]} rows */
function queuesText(rows) {
  const queues = queuesOf(rows);
  return queues.length === 1 ? `queue ${queues[0]}` : formatCount(queues.length, "queue");
}

/**
 * @param {Content[]} names
 * @returns {Content[]}
 */
function list(names) {
  return names.flatMap((name, index) => (index === 0 ? [name] : [", ", name]));
}
