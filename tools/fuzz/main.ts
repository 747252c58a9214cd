import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { ReportingService } from "#gen/reporting/v1/reporting_pb.ts";
import { DEFAULT_PORTS, type ServiceName } from "#kit/config.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { targetsOf } from "./cases.ts";
import { prepare } from "./prepare.ts";
import { describeFinding, type FuzzReport, fuzz } from "./run.ts";
import { SERVICE_DESCRIPTORS } from "./services.ts";

const HELP = `npm run fuzz -- [flags]   sends made-up requests to a stack of its own and judges every answer

  --requests N     how many (100000)
  --seed S         the same seed makes the same requests (random, printed)
  --port-base N    ports of the stack (18000)
`;
const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const DEFAULT_BASE = 8_000;
const START_MS = 180_000;
const CONCURRENCY = 16;
/**
 * The first requests fill caches, heaps and compiled code; what grows after them would grow for ever. Seen in a run of
 * 100,000: 605 MB after 10,000, 685 after 28,000, 692 after 98,000.
 */
const WARM_UP = 25_000;
const GROWTH_MAX_MB = 50;
const LEFT_OUT = { MONGODB_URI: "", TEMPORAL_ADDRESS: "" };
const PROGRESS_EVERY = 2_000;

interface Options {
  readonly requests: number;
  readonly seed: number;
  readonly portBase: number;
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return 2;
  const { seed, requests } = options;
  console.log(
    `seed ${seed}, ${requests} requests; again with: npm run fuzz -- --requests ${requests} --seed ${seed}`,
  );
  const directory = await mkdtemp(path.join(tmpdir(), "settle-fuzz-"));
  const args = ["--data-dir", directory, "--port-base", `${options.portBase}`, "--no-demo"];
  const stack = spawn(process.execPath, [path.join(ROOT, "tools/devstack/main.ts"), ...args], {
    // Servers of its own: nobody else's books are filled with nonsense, and the audit sees only this run.
    env: { ...process.env, ...LEFT_OUT, SETTLE_LOG_LEVEL: "error" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => stack.once("exit", resolve));
  try {
    return await run(options, stack.pid ?? 0, ended);
  } finally {
    stack.kill("SIGTERM");
    await ended;
    await rm(directory, { recursive: true, force: true });
  }
}

async function run(options: Options, pid: number, ended: Promise<number | null>): Promise<number> {
  // The edge is at the base itself, whatever its default port.
  const offset = (name: ServiceName): number =>
    name === "edge" ? 0 : DEFAULT_PORTS[name] - DEFAULT_BASE;
  const address = (name: ServiceName): string => `127.0.0.1:${options.portBase + offset(name)}`;
  await ready(address("payment"), ended);
  const account = createPeer(AccountService, `http://${address("account")}`);
  const payment = createPeer(PaymentService, `http://${address("payment")}`);
  const known = await prepare({ account, payment }, "fuzz");
  const targets = targetsOf(
    new Map(SERVICE_DESCRIPTORS.map(({ name, service }) => [service, address(name)])),
  );
  const onProgress = (done: number): void => {
    if (done % PROGRESS_EVERY !== 0) return;
    residentMb(pid).then(
      (mb) => console.log(`${done} requests, resident ${mb ?? "?"} MB`),
      () => undefined,
    );
  };
  const part = (from: number, to: number): Promise<FuzzReport> =>
    fuzz({ seed: options.seed, from, to, targets, known, concurrency: CONCURRENCY, onProgress });
  const warm = Math.min(WARM_UP, Math.floor(options.requests / 2));
  const first = await part(0, warm);
  const before = await residentMb(pid);
  const second = await part(warm, options.requests);
  const after = await residentMb(pid);
  const audit = await createPeer(ReportingService, `http://${address("reporting")}`).audit({});
  for (const { id, title, violations } of audit.invariants) {
    for (const found of violations.slice(0, 5))
      console.log(`${id} ${title}: ${found.id} ${found.detail}`);
  }
  const crashed = await Promise.race([ended.then(() => true), delay(0, false)]);
  const findings = [...first.findings, ...second.findings];
  for (const finding of findings.slice(0, 50)) console.log(describeFinding(finding));
  for (const { codes } of [first, second]) console.log(JSON.stringify(Object.fromEntries(codes)));
  const growth = before === undefined || after === undefined ? undefined : after - before;
  console.log(
    `${findings.length} findings; resident ${before ?? "?"} MB, then ${after ?? "?"} MB; audit ${audit.ok ? "clean" : "BROKEN"}; stack ${crashed ? "GONE" : "up"}`,
  );
  const grown = growth !== undefined && growth > GROWTH_MAX_MB;
  return findings.length === 0 && audit.ok && !crashed && !grown ? 0 : 1;
}

async function ready(address: string, ended: Promise<number | null>): Promise<void> {
  const deadlineMs = Date.now() + START_MS;
  let gone = false;
  ended.then(() => {
    gone = true;
  });
  while (!gone && Date.now() < deadlineMs) {
    const answer = await fetch(`http://${address}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await delay(200);
  }
  throw new Error(gone ? "the stack did not start" : "the stack is not ready in time");
}

/** Resident memory of the services' process, where the system tells it. */
async function residentMb(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Math.round(Number(kilobytes) / 1024);
}

function readOptions(): Options | undefined {
  const flags = {
    requests: { type: "string" },
    seed: { type: "string" },
    "port-base": { type: "string" },
  } as const;
  try {
    const { values } = parseArgs({ options: flags, strict: true });
    const number = (text: string | undefined, fallback: number): number => {
      const value = text === undefined ? fallback : Number(text);
      if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${text} is not a number`);
      return value;
    };
    return {
      requests: number(values.requests, 100_000),
      seed: number(values.seed, randomInt(2 ** 31)),
      portBase: number(values["port-base"], 18_000),
    };
  } catch (error) {
    console.log(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return undefined;
  }
}

process.exitCode = await main();
