// Data that several tests use.

/** @import { Member } from "../../src/pages/bridge" */

/**
 * Returns a member who is available, except for the given fields.
 *
 * @param {string} number
 * @param {Partial<Member>} [fields]
 * @returns {Member}
 */
export function member(number, fields = {}) {
  return {
    agent: number, alias: `Agent ${number}`, interface: `PJSIP/${number}`, membership: "dynamic", penalty: 0, state: "available",
    state_since: null, wrap_up_ends_at: null, paused: false, paused_reason: null, paused_at: null,
    pause_limit_at: null, pause_overdue: false, pause_ends_at: null, auto_paused: false,
    last_call_at: null, logged_in_at: null, ...fields,
  };
}
