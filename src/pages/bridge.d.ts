// The parts of the bridge's JSON that the panel uses. openapi.json is the full contract.

export interface Member {
  agent: string | null;
  alias: string;
  interface: string;
  membership: "dynamic" | "static";
  penalty: number;
  /** One of STATE_LABELS in shared/member.js, or a state that a newer bridge has added. */
  state: string;
  /** When the state began. Times are in RFC 3339 format, or null if the bridge does not know them. */
  state_since: string | null;
  /** When the wrap-up time ends; null unless the state is wrap_up. */
  wrap_up_ends_at: string | null;
  paused: boolean;
  paused_reason: string | null;
  paused_at: string | null;
  /** When the pause reaches the limit of its reason. */
  pause_limit_at: string | null;
  /** Whether the pause has reached the limit of its reason. */
  pause_overdue: boolean;
  /** When the bridge ends the pause; null if it will not. */
  pause_ends_at: string | null;
  /** Whether Asterisk paused the member for a missed call. */
  auto_paused: boolean;
  last_call_at: string | null;
  logged_in_at: string | null;
}

export interface Caller {
  position: number;
  /** Null if the user may not see it. */
  caller_id_number: string | null;
  /** Null if the user may not see it. */
  caller_id_name: string | null;
  /** Null if the user may not see it. */
  channel: string | null;
  unique_id: string;
  wait_seconds: number;
}

export interface Queue {
  queue: string;
  name: string;
  members: Member[];
  /** The number of members that the user may not see. */
  members_hidden: number;
  callers: Caller[];
}

/** The number of members in each state, and other counts of members. */
export interface AgentCounts {
  logged_in: number;
  available: number;
  paused: number;
  in_call: number;
  ringing: number;
  on_hold: number;
  unavailable: number;
  wrap_up: number;
  /** Members whose pause has reached the limit of its reason. */
  overdue: number;
}

export interface QueueStatistics {
  queue: string;
  agents: AgentCounts;
  completed: number;
  abandoned: number;
  abandoned_percent: number;
  average_hold_seconds: number;
  average_talk_seconds: number;
  service_level_seconds: number;
  service_level_percent: number | null;
}

/** The response to `whoami`. */
export interface Identity {
  user: string;
  /** The actions that the user may do. */
  actions: string[];
  /** The user's own agent, if the user is limited to one. */
  agent: string | null;
  /** The numbers and patterns of the agents whom the user may change; null for all. */
  agents: string[] | null;
}

/** The result of a change in one queue. */
export interface QueueResult {
  queue: string;
  result: "ok" | "error";
  /** True if the agent was already paused and `keep_existing` has kept that pause. */
  kept?: boolean;
  /** When the bridge ends the pause. */
  ends_at?: string;
  code?: string;
  message?: string;
}

/** The result of a change for one of several agents. */
export interface AgentResult {
  agent: string;
  status: "success" | "partial" | "error";
  code?: string;
  message?: string;
  queues: QueueResult[];
}

/** The part of a response to a change that has its results. */
export interface ChangeBody {
  agent?: string;
  queues?: QueueResult[];
  /** Instead of `agent` and `queues` if the request has several agents. */
  agents?: AgentResult[];
}

/** A pause reason that the organization offers. */
export interface PauseReason {
  reason: string;
  /** A longer pause is overdue; null for no limit. */
  limit_seconds: number | null;
  /** Whether the bridge ends the pause at the limit. */
  ends: boolean;
}

/** The response to `showreasons`. */
export interface PauseReasons {
  /** Whether every pause must have a reason. */
  reason_required: boolean;
  /** Whether a pause may have a reason that is not listed. */
  other_reasons: boolean;
  /** The reasons in configured order. */
  reasons: PauseReason[];
}

/** The pauses of a row of a report with one reason. */
export interface ReportReason {
  /** Null for pauses without a reason. */
  reason: string | null;
  paused_seconds: number;
  pauses: number;
  /** The number of pauses that exceeded the limit of their reason. */
  overdue_pauses: number;
}

/** A row of a report. It has the keys of its group, and rows by reason have only pauses. */
export interface ReportRow {
  agent?: string;
  alias?: string | null;
  queue?: string;
  reason?: string | null;
  day?: string;
  paused_seconds: number;
  pauses: number;
  overdue_pauses: number;
  logged_in_seconds?: number;
  calls_taken?: number;
  talk_seconds?: number;
  missed_calls?: number;
  wrap_up_seconds?: number;
  reasons?: ReportReason[];
  /** Callers are only in rows without agent and reason, for users who are not limited to agents. */
  callers?: number;
  answered?: number;
  abandoned?: number;
  average_wait_seconds?: number;
  longest_wait_seconds?: number;
  answered_within_service_level?: number;
}

/** A time in which the bridge could not see the PBX. */
export interface ReportGap {
  from: string;
  /** Null as long as the gap lasts. */
  to: string | null;
}

/** The response to `showreport`. */
export interface Report {
  /** The first day, such as 2026-11-29, in the organization's time zone. */
  from: string;
  /** The last day. */
  to: string;
  time_zone: string;
  by: string[];
  /** Whether the bridge saw the PBX during all of these days, as far as they have passed. */
  complete: boolean;
  /** When the bridge first saw the PBX; null if it never did. */
  since: string | null;
  gaps: ReportGap[];
  rows: ReportRow[];
}

export interface ErrorBody {
  code: string;
  message: string;
  /** If a change of several agents failed for each of them. */
  agents?: AgentResult[];
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
  data: QueueStatistics & { callers: Caller[]; members_hidden?: number };
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

/** The token of a program or a wall screen. */
export interface Token {
  token: string;
}

/** A user's settings for the pages, stored in the browser. */
export interface Preferences {
  /** A caller who waits for this many seconds is marked as late. */
  late: number;
  theme: string;
  /** The view of the board: people, queues or today. */
  view: string;
  /** Whether the agent's page plays sounds. */
  sound: boolean;
  /** Whether the agent's page vibrates. */
  vibration: boolean;
  /** Whether a new alarm on the wall screen is audible. */
  wallSound: boolean;
}
