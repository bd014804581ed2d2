// Protects controls from repeated clicks. An action that is under way is not sent again, and a
// control whose meaning has just changed ignores a click that was aimed at its old meaning.

// How long a control ignores clicks after its meaning has changed, in milliseconds. A double click
// takes up to half a second.
const SETTLE_TIME = 500;

// The controls of a row that mean something else after a change.
const CHANGING_CONTROLS = '[data-action="pause"], [data-action="unpause"]';

/** @type {WeakMap<Element, ReturnType<typeof setTimeout>>} */
const timers = new WeakMap();

/**
 * The agents whom a change under way concerns. An agent's rows come and go meanwhile, so the rows
 * alone would not do.
 *
 * @type {Set<string>}
 */
const busyAgents = new Set();

/**
 * Runs an action. Until it has ended, the element is marked as busy and `isInert` returns true.
 *
 * @template T
 * @param {Element} element
 * @param {() => Promise<T>} action
 */
export async function whileBusy(element, action) {
  element.ariaBusy = "true";
  try {
    return await action();
  } finally {
    element.ariaBusy = null;
  }
}

/**
 * Runs a change of these agents. Until it has ended, all their rows are marked as busy, and `isInert`
 * returns true for them. The controls that the change gives another meaning ignore clicks for a moment
 * longer, because the event that draws the new state can arrive a moment after the response.
 *
 * @template T
 * @param {string[]} agents
 * @param {() => Promise<T>} action
 */
export async function whileAgentsBusy(agents, action) {
  for (const agent of agents) busyAgents.add(agent);
  showBusyRows();
  try {
    return await action();
  } finally {
    for (const agent of agents) busyAgents.delete(agent);
    for (const row of showBusyRows()) {
      for (const control of row.querySelectorAll(CHANGING_CONTROLS)) {
        if (control instanceof HTMLElement) markChanged(control);
      }
    }
  }
}

/**
 * Returns true if a change of any of these agents is under way.
 *
 * @param {string[]} agents
 */
export function areAgentsBusy(agents) {
  return agents.some((agent) => busyAgents.has(agent));
}

/**
 * Marks a row as busy if a change of its agent is under way. A row has its agent as `data-agent`.
 *
 * @param {HTMLElement} row
 */
export function showBusy(row) {
  const isBusy = busyAgents.has(row.dataset.agent ?? "");
  if (isBusy !== (row.ariaBusy === "true")) row.ariaBusy = isBusy ? "true" : null;
}

/** Marks the rows that are busy. Returns those that no longer are. */
function showBusyRows() {
  const rows = [...document.querySelectorAll("[data-agent]")].filter((row) => row instanceof HTMLElement);
  const before = rows.filter(({ ariaBusy }) => ariaBusy === "true");
  for (const row of rows) showBusy(row);
  return before.filter(({ ariaBusy }) => ariaBusy !== "true");
}

/**
 * Makes a control ignore clicks for a moment, because it now means something else.
 *
 * @param {HTMLElement} element
 */
export function markChanged(element) {
  clearTimeout(timers.get(element));
  element.dataset.changed = "";
  timers.set(element, setTimeout(() => delete element.dataset.changed, SETTLE_TIME));
}

/**
 * Returns true if the element, a control or its row, must ignore clicks.
 *
 * @param {Element} element
 */
export function isInert(element) {
  const isBusy = element instanceof HTMLElement && busyAgents.has(element.dataset.agent ?? "");
  return isBusy || element.ariaBusy === "true" || element.hasAttribute("data-changed");
}
