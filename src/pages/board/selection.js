// The people whom the user has chosen for one common change.

export class Selection {
  /** @type {Set<string>} */
  #agents = new Set();
  #onChange;

  /** @param {() => void} onChange called after each change */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** The chosen agents' numbers, in the order of their choice. */
  get agents() {
    return [...this.#agents];
  }

  /** @param {string} agent */
  has(agent) {
    return this.#agents.has(agent);
  }

  /** @param {string} agent */
  toggle(agent) {
    if (!this.#agents.delete(agent)) this.#agents.add(agent);
    this.#onChange();
  }

  /**
   * Keeps only agents for whom `isPresent` returns true.
   *
   * @param {(agent: string) => boolean} isPresent
   */
  retain(isPresent) {
    const gone = this.agents.filter((agent) => !isPresent(agent));
    if (gone.length === 0) return;
    for (const agent of gone) this.#agents.delete(agent);
    this.#onChange();
  }

  clear() {
    if (this.#agents.size === 0) return;
    this.#agents.clear();
    this.#onChange();
  }
}
