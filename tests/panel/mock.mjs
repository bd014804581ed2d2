// A stand-in for the bridge, for the tests of the panel that need more queues, states
// and mishaps than a real telephone system gives on demand. It serves the panel's own
// files, and speaks the documented interface.
//
//   node tests/panel/mock.mjs [--queues 500 --members 100] [--busy EVENTS_A_SECOND]
//
// Prints `listening on 127.0.0.1:PORT`; ends with its standard input.
// POST /mock/drop        breaks every stream
// POST /mock/down, /up   loses its telephone system, and gets it back

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { bigScene, showcase } from "./scenes.mjs";

const { values: options } = parseArgs({
  options: {
    queues: { type: "string", default: "0" },
    members: { type: "string", default: "100" },
    busy: { type: "string", default: "0" },
    port: { type: "string", default: "0" },
  },
});

const FILES = new URL("../../src/http/panel/", import.meta.url);
const PATH = "/API/UpdateAgentState.php";
const TYPES = { html: "text/html", css: "text/css", js: "text/javascript", svg: "image/svg+xml" };
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const USERS = new Map([
  ["acme@example.com:acme-password", "*"],
  ["viewer@example.com:viewer-password", "reads"],
]);

const big = Number(options.queues);
const queues = big > 0 ? bigScene(big, Number(options.members)) : showcase();
const byNumber = new Map(queues.map((queue) => [queue.queue, queue]));
const streams = new Set();
let connected = true;
let lastId = 0;

function publish(event, data) {
  lastId += 1;
  const text = `id: ${lastId}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  for (const stream of streams) stream.write(text);
}

function snapshot() {
  return { queues: queues.map(({ figures, ...queue }) => queue) };
}

function figuresOf({ queue, callers, figures }) {
  return { queue, callers_waiting: callers.length, ...figures };
}

function set(queue, member, change, fields) {
  Object.assign(member, fields);
  const busy = !["available", "paused"].includes(member.state);
  if (!busy) member.state = member.paused ? "paused" : "available";
  publish("member", { queue: queue.queue, change, member });
}

function error(status, code, message, rows) {
  return [status, { status: "error", code, message, request_id: "mock", queues: rows }];
}

const ACTIONS = {
  showqueuestat: () => [200, { status: "success", queues: queues.map(figuresOf) }],
  showqueue: () => [200, { status: "success", ...snapshot() }],
  pause: (query) => changed(query, (queue, member) => {
    const now = new Date().toISOString();
    set(queue, member, "paused", { paused: true, paused_reason: query.get("reason"), paused_at: now });
  }),
  unpause: (query) => changed(query, (queue, member) =>
    set(queue, member, "unpaused", { paused: false, paused_reason: null, paused_at: null })),
  remove: (query) => changed(query, (queue, member) => {
    queue.members.splice(queue.members.indexOf(member), 1);
    publish("member", { queue: queue.queue, change: "removed", member });
  }),
  add: (query) => {
    const queue = byNumber.get(query.get("queue"));
    if (!queue) return error(404, "unknown_queue", `There is no queue ${query.get("queue")}.`);
    const agent = query.get("agent");
    if (queue.members.some((member) => member.agent === agent)) {
      return error(409, "already_member", `Agent ${agent} is a member of queue ${queue.queue} already.`);
    }
    const alias = query.get("alias") ?? agent;
    const member = {
      ...queue.members[0], agent, alias, interface: `PJSIP/${agent}`, state: "available", paused: false,
      paused_reason: null, paused_at: null, membership: "dynamic", logged_in_at: new Date().toISOString(),
    };
    queue.members.push(member);
    publish("member", { queue: queue.queue, change: "added", member });
    return [200, { status: "success", queues: [{ queue: queue.queue, result: "ok" }] }];
  },
};

function changed(query, change) {
  const [agent, only] = [query.get("agent"), query.get("queue")?.split(",")];
  const rows = [];
  for (const queue of queues) {
    if (only && !only.includes(queue.queue)) continue;
    const member = queue.members.find((known) => known.agent === agent);
    if (member) {
      change(queue, member);
      rows.push({ queue: queue.queue, result: "ok" });
    } else if (only) {
      const message = `Agent ${agent} is not a member of queue ${queue.queue}.`;
      rows.push({ queue: queue.queue, result: "error", code: "not_a_member", message });
    }
  }
  if (rows.every((row) => row.result === "error")) {
    return error(404, "not_a_member", `Agent ${agent} is in none of the queues meant.`, rows);
  }
  const status = rows.every((row) => row.result === "ok") ? "success" : "partial";
  return [200, { status, queues: rows }];
}

function permissions(request) {
  const encoded = (request.headers.authorization ?? "").replace(/^Basic /, "");
  return USERS.get(Buffer.from(encoded, "base64").toString());
}

async function answer(request, response, url) {
  const json = ([status, body], headers = {}) => {
    response.writeHead(status, { "Content-Type": "application/json; charset=utf-8", ...headers });
    response.end(JSON.stringify(body));
  };
  if (url.pathname.startsWith("/mock/")) return json(mishap(url.pathname));
  const file = url.pathname === "/" ? "index.html" : /^\/panel\/([a-z-]+\.(?:css|js|svg))$/.exec(url.pathname)?.[1];
  if (file) return page(file, response);
  const may = permissions(request);
  if (!may) return json(error(401, "unauthorized", "Unknown user or wrong password."));
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const form = Buffer.concat(chunks).toString();
  const query = new URLSearchParams(form === "" ? url.search : form);
  const action = query.get("action") ?? "";
  if (may === "reads" && !action.startsWith("show") && url.pathname !== "/events") {
    return json(error(403, "forbidden", `This user may not ${action}.`));
  }
  if (!connected) {
    const down = error(503, "pbx_unavailable", "The PBX is not available now. Nothing was done.");
    return json(down, { "Retry-After": "1" });
  }
  if (url.pathname === "/events") return stream(response);
  if (url.pathname !== PATH || !(action in ACTIONS)) return json(error(404, "not_found", "There is nothing here."));
  return json(ACTIONS[action](query));
}

async function page(file, response) {
  let text = await readFile(new URL(file, FILES), "utf8").catch(() => null);
  text = text?.replace("{{api}}", PATH.slice(1));
  const type = `${TYPES[file.split(".").pop()]}; charset=utf-8`;
  response.writeHead(text === undefined ? 404 : 200, { "Content-Type": type, "Content-Security-Policy": POLICY });
  response.end(text);
}

function stream(response) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.write(`id: ${lastId}\nevent: snapshot\ndata: ${JSON.stringify(snapshot())}\n\n`);
  const heart = setInterval(() => response.write(": alive\n\n"), 15_000);
  streams.add(response);
  response.on("close", () => {
    clearInterval(heart);
    streams.delete(response);
  });
}

function mishap(path) {
  if (path === "/mock/drop") for (const each of streams) each.destroy();
  if (path === "/mock/down" || path === "/mock/up") {
    connected = path === "/mock/up";
    publish("pbx", { connected });
    if (connected) publish("snapshot", snapshot());
  }
  return [200, {}];
}

// Something happens in some queue, so many times a second.
function bustle() {
  const queue = queues[Math.floor(Math.random() * queues.length)];
  const member = queue.members[Math.floor(Math.random() * queue.members.length)];
  if (Math.random() < 0.2) {
    publish("queue", { ...figuresOf(queue), callers: queue.callers });
  } else if (member) {
    member.state = ["available", "ringing", "in_call"][Math.floor(Math.random() * 3)];
    publish("member", { queue: queue.queue, change: "updated", member });
  }
}

const server = createServer((request, response) => {
  answer(request, response, new URL(request.url, "http://mock")).catch((problem) => {
    console.error(problem);
    response.destroy();
  });
});
server.listen(Number(options.port), "127.0.0.1", () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
if (Number(options.busy) > 0) setInterval(bustle, 1000 / Number(options.busy));
process.stdin.on("end", () => process.exit()).resume();
