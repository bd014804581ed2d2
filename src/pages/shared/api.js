// Requests to the bridge, and the messages for failed requests.

/**
 * @import { AgentResult, Credentials, ErrorBody, Token } from "../bridge"
 * @import { Clock } from "./time.js"
 */

/** The bridge accepts at most this many agents in one request. */
export const MAX_AGENTS = 100;

/** The bridge accepts at most this many queues in one request. */
export const MAX_QUEUES = 100;

/**
 * Advice for the user, added to the bridge's error message.
 *
 * @type {Record<string, string>}
 */
const ADVICE = {
  outcome_unknown: "It may or may not have happened. Check the state before you try again.",
  pbx_unavailable: "Try again when the phone system is connected.",
  overloaded: "Nothing was done. Try again in a moment.",
  storage_unavailable: "Nothing was done. Try again in a moment.",
  static_member: "Only the administrator of the phone system can change this.",
  forbidden: "Your user is not allowed to do this. Ask your administrator for access.",
};

// Messages for failures without a usable message from the bridge. Most of these codes are
// defined by the panel.
const MESSAGES = {
  unreachable: "The bridge can't be reached.",
  silent: "The bridge has sent nothing for 40 seconds.",
  stream_ended: "The bridge closed the connection.",
  shutdown: "The bridge is stopping or restarting.",
  not_the_bridge: "The response did not come from the bridge.",
  lost_change:
    "The connection broke before the bridge answered. The change may or may not have happened. " +
    "Check the state before you try again.",
  unauthorized: "Wrong user name or password.",
};

/** @typedef {keyof typeof MESSAGES} LocalCode */

/** A failed request. The code is for the panel, and the message is for the user. */
export class ApiError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {number} [retryAfter] seconds until the bridge accepts the next attempt
   * @param {AgentResult[]} [agents] the result for each agent, if a change had several
   */
  constructor(code, message, retryAfter = 0, agents = undefined) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
    this.agents = agents;
  }

  /** Whether the bridge rejects the user, so that the same request would fail again. */
  get isRejection() {
    return this.code === "unauthorized" || this.code === "forbidden";
  }
}

/**
 * Creates an error with one of the panel's own messages.
 *
 * @param {LocalCode} code
 * @param {number} [retryAfter]
 */
export function localError(code, retryAfter) {
  return new ApiError(code, MESSAGES[code], retryAfter);
}

/**
 * Converts an error response to an `ApiError`.
 *
 * @param {number} retryAfter
 * @param {Partial<ErrorBody> | null} body null if the response is not JSON
 */
export function errorFromResponse(retryAfter, body) {
  if (typeof body?.code !== "string") return localError("not_the_bridge", retryAfter);
  const { code } = body;
  if (code === "unauthorized") return localError(code, retryAfter);
  let message = String(body.message ?? "");
  if (code === "too_many_attempts" && retryAfter > 0) {
    message += ` Try again in ${retryAfter} seconds.`;
  }
  return new ApiError(code, [message, adviceFor(code)].filter(Boolean).join(" "), retryAfter, body.agents);
}

/**
 * Returns advice for the user about a failure, or an empty text.
 *
 * @param {string} code
 */
export function adviceFor(code) {
  return ADVICE[code] ?? "";
}

export class Api {
  #path;
  #authorization;
  #clock;

  /**
   * @param {string} path the API's path
   * @param {Credentials | Token} credentials
   * @param {Clock} clock set from the `Date` header of each response
   */
  constructor(path, credentials, clock) {
    this.#path = path;
    this.#authorization = authorization(credentials);
    this.#clock = clock;
  }

  /**
   * Sends a read. Returns the response body, or throws an ApiError.
   *
   * @param {Record<string, string>} parameters
   */
  read(parameters) {
    return this.#call(parameters, "unreachable");
  }

  /**
   * Sends a change, without retries. Returns the response body, or throws an ApiError.
   *
   * @param {Record<string, string>} parameters
   */
  change(parameters) {
    return this.#call(parameters, "lost_change");
  }

  /**
   * Sends a read whose response is a file. Returns the file, or throws an ApiError.
   *
   * @param {Record<string, string>} parameters
   */
  async readFile(parameters) {
    const response = await this.#send(parameters, "unreachable");
    try {
      return await response.blob();
    } catch {
      throw localError("unreachable");
    }
  }

  /**
   * Opens the event stream. Returns the response, or throws an ApiError.
   *
   * @param {string} lastId the id of the last received event; empty to start with a snapshot
   * @param {AbortSignal} signal
   */
  async events(lastId, signal) {
    /** @type {Record<string, string>} */
    const headers = lastId === "" ? {} : { "Last-Event-ID": lastId };
    const response = await this.#fetch("events", { signal }, headers, "unreachable");
    if (!response.ok) throw await readError(response);
    const type = response.headers.get("Content-Type") ?? "";
    if (!type.startsWith("text/event-stream")) throw localError("not_the_bridge");
    return response;
  }

  /**
   * @param {Record<string, string>} parameters
   * @param {LocalCode} lostCode the error code if the connection fails
   */
  async #call(parameters, lostCode) {
    const response = await this.#send(parameters, lostCode);
    try {
      return await response.json();
    } catch {
      throw localError(lostCode);
    }
  }

  /**
   * @param {Record<string, string>} parameters
   * @param {LocalCode} lostCode the error code if the connection fails
   */
  async #send(parameters, lostCode) {
    // The parameters are sent in the body, because logs and proxies store URLs. The parameters
    // contain names and reasons.
    const options = { method: "POST", body: new URLSearchParams(parameters) };
    const response = await this.#fetch(this.#path, options, {}, lostCode);
    if (!response.ok) throw await readError(response);
    return response;
  }

  /**
   * @param {string} path
   * @param {RequestInit} options
   * @param {Record<string, string>} headers
   * @param {LocalCode} lostCode
   */
  async #fetch(path, options, headers, lostCode) {
    const sentAt = Date.now();
    try {
      const response = await fetch(path, {
        ...options,
        headers: { ...headers, Authorization: this.#authorization },
        cache: "no-store",
        // Prevents the browser from showing its own password dialog after a 401.
        credentials: "omit",
        redirect: "error",
      });
      this.#clock.synchronize(response.headers.get("Date"), sentAt);
      return response;
    } catch {
      throw localError(lostCode);
    }
  }
}

/**
 * Returns the `Authorization` header.
 *
 * @param {Credentials | Token} credentials
 */
function authorization(credentials) {
  if ("token" in credentials) return `Bearer ${credentials.token}`;
  // Encodes as UTF-8, because btoa throws for characters outside Latin-1.
  const bytes = new TextEncoder().encode(`${credentials.username}:${credentials.password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

/**
 * Creates the API of the bridge that has served this page.
 *
 * @param {Credentials | Token} credentials
 * @param {Clock} clock
 */
export function createApi(credentials, clock) {
  return new Api(document.documentElement.dataset.interface ?? "", credentials, clock);
}

/** @param {Response} response */
async function readError(response) {
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  const body = await response.json().catch(() => null);
  return errorFromResponse(retryAfter, body);
}
