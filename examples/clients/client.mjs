// Pauses an agent, shows a queue, and follows its events. Needs Node.js 18 or later. The
// functions also work in a browser, where the settings must come from another source.
//
//   BRIDGE=http://127.0.0.1:8088 BRIDGE_TOKEN=… node client.mjs AGENT QUEUE
//
// A user has BRIDGE_USER=… BRIDGE_PASSWORD=… in place of the token.

const { BRIDGE = "http://127.0.0.1:8088" } = process.env;
const { BRIDGE_TOKEN, BRIDGE_USER, BRIDGE_PASSWORD } = process.env;
const [agent = "", queue = ""] = process.argv.slice(2);

// The credentials go into a header, so that no URL contains them. btoa accepts only bytes, so
// the text is encoded as UTF-8 first.
const bytes = new TextEncoder().encode(`${BRIDGE_USER}:${BRIDGE_PASSWORD}`);
const basic = `Basic ${btoa(String.fromCharCode(...bytes))}`;
const authorization = BRIDGE_TOKEN ? `Bearer ${BRIDGE_TOKEN}` : basic;

/** An error response. The code is for programs, the message for developers. */
class BridgeError extends Error {
  /** @param {{ code: string, message: string }} answer */
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

// Without a response, the client can't know whether the bridge received the request. This
// is the same uncertainty as the bridge's own outcome_unknown.
const NO_ANSWER = { code: "outcome_unknown", message: "The bridge has not answered." };

/**
 * Sends a request to the bridge and returns the response.
 *
 * @param {Record<string, string>} parameters
 */
async function bridge(parameters) {
  let answer;
  try {
    const response = await fetch(`${BRIDGE}/API/UpdateAgentState.php`, {
      method: "POST",
      headers: { authorization },
      body: new URLSearchParams(parameters),
      signal: AbortSignal.timeout(15_000),
    });
    // An error response also has a JSON body, with its code and message.
    answer = await response.json();
  } catch {
    // The connection failed or broke, or a proxy responded with its own page.
    answer = { status: "error", ...NO_ANSWER };
  }
  if (answer.status === "error") throw new BridgeError(answer);
  return answer;
}

/**
 * The entity tag and the response of each read.
 *
 * @type {Map<string, { tag: string, answer: any }>}
 */
const lastReads = new Map();

/**
 * Reads from the bridge. If nothing has changed, the bridge responds without a body.
 *
 * @param {Record<string, string>} parameters
 */
async function read(parameters) {
  const url = `${BRIDGE}/API/UpdateAgentState.php?${new URLSearchParams(parameters)}`;
  const last = lastReads.get(url);
  let answer;
  try {
    const headers = { authorization, ...(last && { "If-None-Match": last.tag }) };
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(15_000) });
    if (last && response.status === 304) return last.answer;
    answer = await response.json();
    const tag = response.headers.get("ETag");
    if (tag) lastReads.set(url, { tag, answer });
  } catch {
    answer = { status: "error", ...NO_ANSWER };
  }
  if (answer.status === "error") throw new BridgeError(answer);
  return answer;
}

/**
 * Returns the text to show to a panel user.
 *
 * @param {unknown} error
 */
function describe(error) {
  /** @type {Record<string, string>} */
  const texts = {
    not_a_member: "The agent is not in that queue.",
    unknown_queue: "There is no such queue.",
    unauthorized: "Wrong user name or password.",
    pbx_unavailable: "Nothing was done. Try again in a moment.",
    overloaded: "Nothing was done. Try again in a moment.",
    storage_unavailable: "Nothing was done. Try again in a moment.",
    outcome_unknown: "It may or may not have happened. Check before you try again.",
  };
  if (!(error instanceof BridgeError)) return String(error);
  return `${error.code}: ${texts[error.code] ?? error.message}`;
}

/**
 * Yields a queue's events until the caller stops reading or the bridge refuses the
 * request. This function reads the stream with fetch, because an EventSource would need a
 * new ticket for each connection (docs/API.md). Like an EventSource, it reconnects with the
 * last event id.
 *
 * @param {string} queue
 */
async function* follow(queue) {
  let lastId = "";
  for (;;) {
    // The bridge sends a comment every 15 s. If nothing arrives for 40 s, the connection
    // is lost.
    const lost = new AbortController();
    const watch = () => setTimeout(() => lost.abort(), 40_000);
    let silence = watch();
    try {
      const headers = { authorization, ...(lastId && { "Last-Event-ID": lastId }) };
      const url = `${BRIDGE}/events?${new URLSearchParams({ queue })}`;
      const response = await fetch(url, { headers, signal: lost.signal });
      if (!response.ok || !response.body) {
        const error = new BridgeError(await response.json().catch(() => NO_ANSWER));
        // Other errors are permanent.
        if (![429, 502, 503, 504].includes(response.status)) throw error;
      } else {
        let text = "";
        for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
          clearTimeout(silence);
          silence = watch();
          text += chunk;
          const blocks = text.split("\n\n");
          text = blocks.pop() ?? "";
          for (const block of blocks) {
            /** @param {string} name */
            const field = (name) =>
              block.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
            const data = field("data");
            // A comment has no data. It only keeps the connection alive.
            if (!data) continue;
            yield { event: field("event"), data: JSON.parse(data) };
            // The caller has handled the event, so the bridge need not send it again.
            lastId = field("id") ?? lastId;
          }
        }
      }
    } catch (error) {
      if (error instanceof BridgeError) throw error;
      // The connection is lost: reconnect.
    } finally {
      clearTimeout(silence);
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

try {
  const paused = await bridge({ action: "pause", agent, queue, reason: "Lunch break" });
  console.log(`paused: ${paused.agent}`);
  // A client that polls would wait for a second between two reads.
  let shown = await read({ action: "showqueue", queue });
  for (let reads = 1; reads < 3; reads++) shown = await read({ action: "showqueue", queue });
  for (const member of shown.queues[0].members) {
    console.log(`member: ${member.agent} ${member.state} ${member.paused_reason ?? "-"}`);
  }
  // Queue 9999 does not exist. The bridge responds with an error.
  await read({ action: "showqueue", queue: "9999" });
} catch (error) {
  console.log(`error: ${describe(error)}`);
}

try {
  for await (const { event, data } of follow(queue)) {
    // A client that shows the queue replaces all its state when it gets a snapshot.
    const about = event === "member" ? ` ${data.member.agent} ${data.change}` : "";
    console.log(`event: ${event}${about}`);
  }
} catch (error) {
  console.error(`no events: ${describe(error)}`);
  process.exitCode = 1;
}
