// Requests to the bridge, and what its refusals mean to the person at the page.

// What to do about a refusal, beside what the bridge says itself.
const ADVICE = {
  outcome_unknown: "It may or may not have happened: see what the board shows before trying again.",
  pbx_unavailable: "Try again when the telephone system is back.",
  overloaded: "Nothing was done. Try again in a moment.",
  static_member: "Only the administrator of the telephone system can change that.",
  forbidden: "Your user may not do that. Ask your administrator if you should.",
};

// Where the bridge could not say anything.
const WORDS = {
  unreachable: "The bridge can't be reached.",
  stream_ended: "The bridge has ended the connection.",
  shutdown: "The bridge is being stopped or restarted.",
  strange: "Something other than the bridge has answered.",
  lost_change:
    "The connection broke before the answer came. It may or may not have happened: " +
    "see what the board shows before trying again.",
  unauthorized: "The user name or the password is wrong.",
};

// Why something was not done, in words.
export class Refusal extends Error {
  constructor(code, message, { status = 0, retryAfter = 0, rows = [] } = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
    this.rows = rows;
  }
}

export function refusal(code, details) {
  return new Refusal(code, WORDS[code] ?? WORDS.strange, details);
}

// What an error answer says.
export function refusalOf(status, retryAfter, body) {
  const code = typeof body?.code === "string" ? body.code : "strange";
  const details = { status, retryAfter, rows: failures(body) };
  if (code === "unauthorized" || code === "strange") return refusal(code, details);
  let message = String(body.message ?? "");
  if (code === "too_many_attempts" && retryAfter > 0) {
    message += ` Try again in ${retryAfter} seconds.`;
  }
  return new Refusal(code, [message, ADVICE[code]].filter(Boolean).join(" "), details);
}

// The queues in which a change failed, in the bridge's words.
export function failures(body) {
  const rows = Array.isArray(body?.queues) ? body.queues : [];
  return rows.filter((row) => row.result === "error").map((row) => String(row.message));
}

export class Api {
  #path;
  #authorization;
  #clock;

  constructor(path, { username, password }, clock) {
    this.#path = path;
    // UTF-8 first: btoa alone refuses what is beyond Latin-1.
    const bytes = new TextEncoder().encode(`${username}:${password}`);
    this.#authorization = `Basic ${btoa(String.fromCharCode(...bytes))}`;
    this.#clock = clock;
  }

  // A read. Returns the answer, or throws a Refusal.
  read(parameters) {
    return this.#call(parameters, "unreachable");
  }

  // A change. It is sent once, whatever happens.
  change(parameters) {
    return this.#call(parameters, "lost_change");
  }

  // Opens the stream of events.
  async events(lastId, signal) {
    const headers = lastId === "" ? {} : { "Last-Event-ID": lastId };
    const response = await this.#fetch("events", { headers, signal }, "unreachable");
    if (!response.ok) throw await refused(response);
    const type = response.headers.get("Content-Type") ?? "";
    if (!type.startsWith("text/event-stream")) throw refusal("strange");
    return response;
  }

  async #call(parameters, lost) {
    // Not in the URL, where logs and proxies would keep names and reasons.
    const options = { method: "POST", body: new URLSearchParams(parameters) };
    const response = await this.#fetch(this.#path, options, lost);
    if (!response.ok) throw await refused(response);
    try {
      return await response.json();
    } catch {
      throw refusal(lost);
    }
  }

  async #fetch(path, { headers = {}, ...options }, lost) {
    try {
      const response = await fetch(path, {
        ...options,
        headers: { ...headers, Authorization: this.#authorization },
        cache: "no-store",
        // Without it a 401 would open the browser's own password window.
        credentials: "omit",
        redirect: "error",
      });
      this.#clock.learn(response.headers.get("Date"));
      return response;
    } catch {
      throw refusal(lost);
    }
  }
}

async function refused(response) {
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  const body = await response.json().catch(() => null);
  return refusalOf(response.status, retryAfter, body);
}
