// Pauses an agent, shows a queue, and follows events. Node 18 or later; in a browser
// the same code works, with its parameters from elsewhere.
//
//   BRIDGE=http://127.0.0.1:8088 BRIDGE_USER=… BRIDGE_PASSWORD=… node client.mjs AGENT QUEUE

const { BRIDGE = "http://127.0.0.1:8088", BRIDGE_USER, BRIDGE_PASSWORD } = process.env;
const [agent, queue] = process.argv.slice(2);

// As a header, so that no password stands in a URL. btoa takes bytes, not letters.
const bytes = new TextEncoder().encode(`${BRIDGE_USER}:${BRIDGE_PASSWORD}`);
const authorization = `Basic ${btoa(String.fromCharCode(...bytes))}`;

// An answer that is no success. The code is for programs, the message for developers.
class BridgeError extends Error {
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

// It may have been sent: as doubtful as the bridge's own outcome_unknown.
const NO_ANSWER = { code: "outcome_unknown", message: "The bridge has not answered." };

async function bridge(parameters) {
  let answer;
  try {
    const response = await fetch(`${BRIDGE}/API/UpdateAgentState.php`, {
      method: "POST",
      headers: { authorization },
      body: new URLSearchParams(parameters),
      signal: AbortSignal.timeout(15_000),
    });
    // An error has a body too, which says what is wrong.
    answer = await response.json();
  } catch {
    // No connection, none that lasted, or a page of a proxy in its place.
    answer = { status: "error", ...NO_ANSWER };
  }
  if (answer.status === "error") throw new BridgeError(answer);
  return answer;
}

// What a user of a panel should read.
function words(error) {
  const texts = {
    not_a_member: "The agent is not in that queue.",
    unknown_queue: "There is no such queue.",
    unauthorized: "Wrong user name or password.",
    pbx_unavailable: "Nothing was done; try again in a moment.",
    overloaded: "Nothing was done; try again in a moment.",
    outcome_unknown: "It may or may not have happened: look before trying again.",
  };
  return texts[error.code] ?? error.message;
}

// Every event, for as long as someone takes them. EventSource can't send a password
// but in the URL, so the stream is read with fetch, and what EventSource would do by
// itself, coming back with the last id, is done here.
async function* follow(queue) {
  let last = "";
  for (;;) {
    // A comment comes every 15 s: longer silence is a connection that is gone.
    const lost = new AbortController();
    const wait = () => setTimeout(() => lost.abort(), 40_000);
    let silence = wait();
    try {
      const headers = last ? { authorization, "Last-Event-ID": last } : { authorization };
      const url = `${BRIDGE}/events?${new URLSearchParams({ queue })}`;
      const response = await fetch(url, { headers, signal: lost.signal });
      if (!response.ok) {
        const error = new BridgeError(await response.json().catch(() => NO_ANSWER));
        // Only what passes by itself is worth another try.
        if (![429, 502, 503, 504].includes(response.status)) throw error;
      } else {
        let text = "";
        for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
          clearTimeout(silence);
          silence = wait();
          text += chunk;
          const blocks = text.split("\n\n");
          text = blocks.pop();
          for (const block of blocks) {
            const field = (name) =>
              block.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
            // A comment has no data: it only keeps the connection alive.
            if (!field("data")) continue;
            yield { event: field("event"), data: JSON.parse(field("data")) };
            // Only now is it dealt with.
            last = field("id") ?? last;
          }
        }
      }
    } catch (error) {
      if (error instanceof BridgeError) throw error;
      // The connection is lost: come back.
    } finally {
      clearTimeout(silence);
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

try {
  const paused = await bridge({ action: "pause", agent, queue, reason: "Lunch break" });
  console.log(`paused: ${paused.agent}`);
  const shown = await bridge({ action: "showqueue", queue });
  for (const member of shown.queues[0].members) {
    console.log(`member: ${member.agent} ${member.state} ${member.paused_reason ?? "-"}`);
  }
  // A mistake, to see what an error looks like.
  await bridge({ action: "showqueue", queue: "9999" });
} catch (error) {
  console.log(`error: ${error.code ?? error.name}: ${words(error)}`);
}

try {
  for await (const { event, data } of follow(queue)) {
    // A snapshot replaces all that was known before.
    const about = event === "member" ? ` ${data.member.agent} ${data.change}` : "";
    console.log(`event: ${event}${about}`);
  }
} catch (error) {
  console.error(`no events: ${error.code ?? error.name}: ${words(error)}`);
  process.exitCode = 1;
}
