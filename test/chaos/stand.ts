import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { type Db, MongoClient } from "mongodb";
import { killTree, processTree } from "#test/support/process-tree.ts";
import { type CommandOutcome, runCommand } from "#test/support/run-command.ts";
import {
  freePortBase,
  portsOf,
  runStart,
  runs,
  type StartProcess,
  temporaryDirectory,
} from "#test/support/start-process.ts";
import { waitUntil } from "#test/support/wait-until.ts";

/** The policy the issue names: seconds that are minutes in production. Nothing else is shortened. */
export const SHORT_POLICY = {
  SETTLE_CALLBACK_TIMEOUT: "10s",
  SETTLE_GATEWAY_CALLBACK_DELAY: "1s",
  SETTLE_GATEWAY_LATE_CALLBACK_DELAY: "15s",
};

const OFFSETS = { account: 1, payment: 4, mongod: 13 } as const;

/** Running services that can be asked and looked at, however they were started. */
export interface Site {
  /** A directory for what a test writes down. */
  readonly dataDir: string;
  /** Base URL of a service; the same before and after a kill. */
  url(service: "account" | "payment"): string;
  /** `settle …` against these services. */
  settle(...args: readonly string[]): Promise<CommandOutcome>;
  /** A service's database, behind the back of every check. */
  database(name: string): Promise<Db>;
}

/** `npm start` as a tree of processes that can be killed, and started again on the same data and ports. */
export class Stand implements Site, AsyncDisposable {
  readonly dataDir: string;
  readonly #base: number;
  readonly #flags: readonly string[];
  readonly #remove: () => PromiseLike<void>;
  #running: StartProcess | undefined;
  #mongo: MongoClient | undefined;

  private constructor(
    base: number,
    directory: AsyncDisposable & { readonly path: string },
    flags: readonly string[],
  ) {
    this.#base = base;
    this.dataDir = directory.path;
    this.#flags = flags;
    this.#remove = () => directory[Symbol.asyncDispose]();
  }

  /** A stand in a directory of its own; nothing is started yet. */
  static async create(...flags: readonly string[]): Promise<Stand> {
    return new Stand(await freePortBase(), await temporaryDirectory(), flags);
  }

  url(service: "account" | "payment"): string {
    return `http://127.0.0.1:${this.#base + OFFSETS[service]}`;
  }

  /** Starts everything and waits until it serves. */
  async start(): Promise<void> {
    const args = ["--no-demo", "--data-dir", this.dataDir, "--port-base", String(this.#base)];
    const started = runStart([...args, ...this.#flags], SHORT_POLICY);
    this.#running = started;
    const tooEarly = started.ended.then(({ lines }) => lines.join("\n"));
    const outcome = await Promise.race([portsOf(this.dataDir), tooEarly]);
    if (typeof outcome === "string") throw new Error(`npm start ended by itself:\n${outcome}`);
  }

  /** `kill -9` of every process at the same moment. */
  async kill(): Promise<void> {
    if (this.#running === undefined) return;
    const pids = processTree(this.#running.pid).map(({ pid }) => pid);
    killTree(this.#running.pid);
    await this.#afterEnd();
    await waitUntil(async () => !pids.some(runs), { what: "the end of all killed processes" });
  }

  /** `kill -9` of one program (`payment` of a split stack, `mongod`); answers what the stack said as it stopped. */
  async killOne(name: string): Promise<string> {
    const text = await readFile(path.join(this.dataDir, "run", `${name}.json`), "utf8");
    process.kill(JSON.parse(text).pid, "SIGKILL");
    return this.#afterEnd();
  }

  /** Deletes all that Temporal stored; for a stack that does not run. */
  async deleteTemporalStore(): Promise<void> {
    const files = ["", "-wal", "-shm"].map((end) => path.join(this.dataDir, `temporal.db${end}`));
    for (const file of files) await rm(file, { force: true });
  }

  settle(...args: readonly string[]): Promise<CommandOutcome> {
    const command = ["tools/cli/main.ts", "--data-dir", this.dataDir, ...args];
    return runCommand([process.execPath, ...command], { env: { NO_COLOR: "1" }, boundMs: 60_000 });
  }

  async database(name: string): Promise<Db> {
    const uri = `mongodb://127.0.0.1:${this.#base + OFFSETS.mongod}/?directConnection=true`;
    this.#mongo ??= await MongoClient.connect(uri);
    return this.#mongo.db(`settle_${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#mongo?.close();
    await this.#remove();
  }

  async #afterEnd(): Promise<string> {
    const end = await this.#running?.ended;
    this.#running = undefined;
    await this.#mongo?.close();
    this.#mongo = undefined;
    return end?.lines.join("\n") ?? "";
  }
}
