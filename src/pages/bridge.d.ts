// The parts of the bridge's JSON that the panel uses. openapi.json is the full contract.

export interface Member {
  agent: string | null;
  alias: string;
  interface: string;
  membership: "dynamic" | "static";
  /** One of STATE_LABELS in agent-row.js, or a state that a newer bridge has added. */
  state: string;
  paused: boolean;
  paused_reason: string | null;
  /** Times are in RFC 3339 format, or null if the bridge does not know them. */
  paused_at: string | null;
  last_call_at: string | null;
  logged_in_at: string | null;
}

export interface Caller {
  position: number;
  caller_id_number: string;
  caller_id_name: string;
  channel: string;
  unique_id: string;
  wait_seconds: number;
}

export interface Queue {
  queue: string;
  name: string;
  members: Member[];
  callers: Caller[];
}

export interface QueueStatistics {
  queue: string;
  completed: number;
  abandoned: number;
  abandoned_percent: number;
  average_hold_seconds: number;
  average_talk_seconds: number;
  service_level_seconds: number;
  service_level_percent: number | null;
}

/** The result of a change in one queue. */
export interface QueueResult {
  queue: string;
  result: "ok" | "error";
  message?: string;
}

export interface ErrorBody {
  code: string;
  message: string;
  queues?: QueueResult[];
}

export interface SnapshotEvent {
  type: "snapshot";
  data: { queues: Queue[] };
}

export interface MemberEvent {
  type: "member";
  data: { queue: string; change: string; member: Member };
}

export interface QueueEvent {
  type: "queue";
  data: QueueStatistics & { callers: Caller[] };
}

export interface PbxEvent {
  type: "pbx";
  data: { connected: boolean };
}

/** An event from the stream, except `shutdown`, which EventStream handles itself. */
export type BridgeEvent = SnapshotEvent | MemberEvent | QueueEvent | PbxEvent;

export interface Credentials {
  username: string;
  password: string;
}

/** A user's settings for the board, stored in the browser. */
export interface Preferences {
  /** The pause reasons to choose from. */
  reasons: string[];
  /** A caller who waits for this many seconds is marked as late. */
  late: number;
  theme: string;
  wall: boolean;
}
