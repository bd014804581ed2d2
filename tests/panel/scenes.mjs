// Queues as the bridge would tell of them: some that look like a real afternoon, and as
// many as one likes.

const minutesAgo = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

function agent(number, alias, state, { reason = null, minutes = 4, paused = state === "paused", membership = "dynamic" } = {}) {
  const codes = { available: 1, paused: 1, in_call: 2, unavailable: 5, ringing: 6, on_hold: 8 };
  const devices = { 1: "not_in_use", 2: "in_use", 5: "unavailable", 6: "ringing", 8: "on_hold" };
  const code = codes[state];
  return {
    agent: number, alias, interface: `PJSIP/${number}`, state_interface: `PJSIP/${number}`, membership, penalty: 0,
    state, paused, paused_reason: paused ? reason : null, paused_at: paused ? minutesAgo(minutes) : null,
    device_state: devices[code], device_state_code: code, in_call: state === "in_call",
    calls_taken: 7, last_call_at: minutesAgo(minutes), logged_in_at: minutesAgo(180), wrapup_seconds: 0,
  };
}

function caller(position, seconds, number, name) {
  return {
    position, caller_id_number: number, caller_id_name: name ?? null, channel: `PJSIP/trunk-${number}`,
    unique_id: `${position}.${number}`, wait_seconds: seconds, priority: 0,
  };
}

function queue(number, name, members, callers, [completed, abandoned, level, hold, talk]) {
  const offered = completed + abandoned;
  return {
    queue: number, name, strategy: "ringall", max_callers: 0, weight: 0, members, callers,
    figures: {
      completed, abandoned, abandoned_percent: offered ? Math.round((abandoned / offered) * 10_000) / 100 : 0,
      average_hold_seconds: hold, average_talk_seconds: talk, service_level_seconds: 60, service_level_percent: level,
    },
  };
}

export function showcase() {
  const dana = (state, more) => agent("1001", "Dana Levi", state, more);
  return [
    queue("6001", "Sales", [
      dana("paused", { reason: "Lunch", minutes: 12.4 }),
      agent("1002", "Omar Haddad", "in_call"),
      agent("1003", "Ruth Abrams", "available", { minutes: 1.2 }),
      agent("1004", "Jonas Weber", "ringing"),
      agent("1005", "Mei Tanaka", "available", { minutes: 7 }),
      agent("1006", "Pavel Novák", "unavailable"),
    ], [caller(1, 24, "0501234567", "Miriam Katz"), caller(2, 9, "036120450")], [184, 6, 94.1, 14, 212]),
    queue("6002", "Support", [
      agent("1010", "Anna Kowalska", "in_call"),
      agent("1011", "Tom Becker", "in_call"),
      agent("1012", "Lucía Fernández", "paused", { reason: "Training", minutes: 34 }),
      agent("1013", "Samir Khoury", "on_hold"),
    ], [caller(1, 143, "+49 30 5557120", "Hotel Adler"), caller(2, 87, "0541112233", "Yael Mor"), caller(3, 31, "0773004455")],
    [97, 15, 71.8, 58, 401]),
    queue("6003", "שירות לקוחות", [
      agent("1021", "דנה לוי", "paused", { reason: "הפסקת צהריים", minutes: 8.2 }),
      agent("1022", "יוסי כהן", "available", { minutes: 2.7 }),
      agent("1023", "מיכל אברהם", "in_call"),
    ], [caller(1, 12, "0526667788", "אבי מזרחי")], [140, 9, 90.3, 17, 190]),
    queue("6004", "خدمة العملاء", [
      agent("1031", "ليلى حداد", "available", { minutes: 3.3 }),
      agent("1032", "كريم منصور", "paused", { reason: "اجتماع", minutes: 21 }),
    ], [], [66, 2, 97, 8, 165]),
    queue("6005", "Orders", [
      agent("1041", "Ingrid Olsen", "available", { minutes: 11 }),
      agent("1042", "Static Sam", "available", { minutes: 15, membership: "static" }),
      dana("paused", { reason: "Lunch", minutes: 12.4 }),
    ], [], [41, 0, 100, 5, 98]),
    queue("6006", "Night line", [agent("1050", "Viktor Hahn", "unavailable")], [], [0, 0, 0, 0, 0]),
  ];
}

const FIRST = ["Dana", "Omar", "Ruth", "Jonas", "Mei", "Pavel", "Anna", "Tom", "Lucía", "Samir", "דנה", "ליאור"];
const LAST = ["Levi", "Haddad", "Abrams", "Weber", "Tanaka", "Novák", "Kowalska", "Becker", "Fernández", "Khoury"];
const STATES = ["available", "in_call", "available", "paused", "in_call", "ringing", "available", "unavailable"];

export function bigScene(queues, members) {
  return Array.from({ length: queues }, (_, q) => {
    const staff = Array.from({ length: members }, (_, m) => {
      const n = q * members + m;
      const name = `${FIRST[n % FIRST.length]} ${LAST[(n >> 2) % LAST.length]}`;
      return agent(String(100_000 + n), name, STATES[n % STATES.length], { reason: "Lunch", minutes: n % 50 });
    });
    const callers = Array.from({ length: q % 4 }, (_, c) => caller(c + 1, 90 - c * 30, `0500${q}${c}`, "Caller"));
    return queue(String(6000 + q), `Team ${q}`, staff, callers, [100 + q, q % 9, 90, 12, 180]);
  });
}
