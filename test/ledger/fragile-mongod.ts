import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Document, MongoClient } from "mongodb";
import { vi } from "vitest";
import { toolPath } from "#test/support/env.ts";
import { freePort } from "#tools/devstack/ports.ts";

/** A mongod of the test's own, which it may kill and tell to fail. */
export interface FragileMongod extends AsyncDisposable {
  readonly uri: string;
  /** kill -9, then a start on the same files. */
  crash(): Promise<void>;
  /** Makes the next `times` of these commands fail as `data` says (the server's own fail points). */
  failNext(times: number, data: Document): Promise<void>;
}

/** Starts it with test commands on, as a replica set of one. */
export async function startFragileMongod(): Promise<FragileMongod> {
  const dir = await mkdtemp(path.join(tmpdir(), "settle-mongod-"));
  const port = await freePort();
  const uri = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  let child = start(dir, port);
  try {
    await initiate(uri, port);
  } catch (error) {
    await kill(child);
    throw error;
  }
  return {
    uri,
    async crash() {
      await kill(child);
      child = start(dir, port);
    },
    failNext: (times, data) => failNext(uri, times, data),
    async [Symbol.asyncDispose]() {
      await kill(child);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function start(dir: string, port: number): ChildProcess {
  const args = ["--dbpath", dir, "--port", String(port), "--bind_ip", "127.0.0.1"];
  args.push("--replSet", "fragile", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25");
  args.push("--oplogSize", "64", "--quiet", "--setParameter", "enableTestCommands=1");
  // Looked for once a minute otherwise.
  args.push("--setParameter", "ttlMonitorSleepSecs=1");
  const child = spawn(toolPath("mongod"), args, { stdio: "ignore" });
  // A test run that is stopped must not leave it behind.
  process.once("exit", () => child.kill("SIGKILL"));
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

async function initiate(uri: string, port: number): Promise<void> {
  await using client = await MongoClient.connect(uri, { serverSelectionTimeoutMS: 20_000 });
  const admin = client.db("admin");
  const members = [{ _id: 0, host: `127.0.0.1:${port}` }];
  await admin.command({ replSetInitiate: { _id: "fragile", members } });
  const writable = async (): Promise<boolean> =>
    (await admin.command({ hello: 1 }))["isWritablePrimary"] === true;
  await vi.waitUntil(writable, { timeout: 20_000 });
}

async function failNext(uri: string, times: number, data: Document): Promise<void> {
  await using client = await MongoClient.connect(uri);
  const command = { configureFailPoint: "failCommand", mode: { times }, data };
  await client.db("admin").command(command);
}
