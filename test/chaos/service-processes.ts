import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type Db, MongoClient } from "mongodb";
import type { ServiceName } from "#kit/config.ts";
import { freshPrefix, mongoUri, temporalAddress } from "#test/support/env.ts";
import { freePorts } from "#test/support/free-ports.ts";
import { createNamespace } from "#test/support/namespace.ts";
import { type CommandOutcome, runCommand } from "#test/support/run-command.ts";
import { dropDatabases, GATEWAY_SECRET, SEALING_KEY } from "#test/support/stack.ts";
import { temporaryDirectory } from "#test/support/start-process.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import { accepts } from "#tools/devstack/gate.ts";
import { SHORT_POLICY, type Site } from "./stand.ts";

const SERVICES = ["account", "fraud", "notification", "gateway", "payment", "reporting"] as const;

/** Every service as a process of its own, as containers run them: one can die and come back while the others go on. */
export class ServiceProcesses implements Site, AsyncDisposable {
  readonly dataDir: string;
  readonly #ports: ReadonlyMap<ServiceName, number>;
  readonly #env: Readonly<Record<string, string>>;
  readonly #prefix: string;
  readonly #remove: () => PromiseLike<void>;
  readonly #running = new Map<ServiceName, ChildProcess>();
  readonly #mongo = new MongoClient(mongoUri());

  private constructor(
    ports: ReadonlyMap<ServiceName, number>,
    namespace: string,
    directory: AsyncDisposable & { readonly path: string },
  ) {
    this.#ports = ports;
    this.#prefix = freshPrefix();
    this.dataDir = directory.path;
    this.#remove = () => directory[Symbol.asyncDispose]();
    this.#env = {
      ...placesOf(ports),
      ...SHORT_POLICY,
      MONGODB_URI: mongoUri(),
      TEMPORAL_ADDRESS: temporalAddress(),
      TEMPORAL_NAMESPACE: namespace,
      SETTLE_DATABASE_PREFIX: this.#prefix,
      SETTLE_GATEWAY_SECRET: GATEWAY_SECRET,
      SETTLE_SEALING_KEY: SEALING_KEY,
      SETTLE_LOG_LEVEL: "silent",
    };
  }

  /** Starts all of them, on databases and a namespace of their own. */
  static async start(): Promise<ServiceProcesses> {
    const free = await freePorts(SERVICES.length);
    const ports = new Map(SERVICES.map((name, index) => [name, free[index] ?? 0]));
    const directory = await temporaryDirectory();
    const services = new ServiceProcesses(ports, await createNamespace(), directory);
    try {
      await Promise.all(SERVICES.map((name) => services.start(name)));
      return services;
    } catch (error) {
      await services[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts one service and waits until it serves. */
  async start(name: ServiceName): Promise<void> {
    const main = `services/${name}/main.ts`;
    const stdio = ["ignore", "ignore", "inherit"] as const;
    const child = spawn(process.execPath, [main], {
      stdio: [...stdio],
      env: { ...process.env, ...this.#env },
    });
    this.#running.set(name, child);
    const isUp = async (): Promise<boolean> => {
      if (child.exitCode === null && child.signalCode === null)
        return accepts(this.#ports.get(name) ?? 0);
      throw new Error(`${name} has ended`);
    };
    await waitUntil(isUp, { what: `${name} to serve` });
  }

  /** `kill -9` of one service. */
  async kill(name: ServiceName): Promise<void> {
    const child = this.#running.get(name);
    if (child === undefined) return;
    this.#running.delete(name);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  url(service: ServiceName): string {
    return `http://127.0.0.1:${this.#ports.get(service)}`;
  }

  settle(...args: readonly string[]): Promise<CommandOutcome> {
    const env = { ...this.#env, NO_COLOR: "1" };
    return runCommand([process.execPath, "tools/cli/main.ts", ...args], { env, boundMs: 60_000 });
  }

  async database(name: string): Promise<Db> {
    return this.#mongo.db(`${this.#prefix}_${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(SERVICES.map((name) => this.kill(name)));
    await this.#mongo.close();
    await dropDatabases(this.#prefix);
    await this.#remove();
  }
}

function placesOf(ports: ReadonlyMap<ServiceName, number>): Record<string, string> {
  return Object.fromEntries(
    [...ports].flatMap(([name, port]) => [
      [`SETTLE_PORT_${name.toUpperCase()}`, String(port)],
      [`SETTLE_URL_${name.toUpperCase()}`, `http://127.0.0.1:${port}`],
    ]),
  );
}
