import type { Document, MongoClient } from "mongodb";
import { type Child, type Guard, startChild } from "./child.ts";
import type { DataDir } from "./data-dir.ts";
import { accepts, gate } from "./gate.ts";
import { checkMongodVersion, recordMongodVersion } from "./mongod-version.ts";

/** Recovery after kill -9 replays the journal and may take a while. */
const READY_DEADLINE_MS = 90_000;
const REPLICA_SET = "rs0";
const NOT_YET_INITIALIZED = 94;
const ALREADY_INITIALIZED = 23;

/** A one-node replica set on 127.0.0.1. */
export interface Mongod {
  readonly child: Child;
  readonly uri: string;
}

/** Starts mongod and waits until it takes writes. Transactions and change streams need the replica set. */
export async function startMongod(
  options: {
    readonly binary: string;
    /** As it tells it; empty when it does not. */
    readonly version: string;
    readonly port: number;
    readonly dataDir: DataDir;
    /** Runs as soon as the process exists. */
    readonly onStart: () => void;
  },
  guard: Guard,
): Promise<Mongod> {
  const { port, dataDir, version } = options;
  if (version !== "") await checkMongodVersion(dataDir, version);
  const args = ["--replSet", REPLICA_SET, "--dbpath", dataDir.mongo];
  args.push("--bind_ip", "127.0.0.1", "--port", String(port), "--nounixsocket");
  args.push("--wiredTigerCacheSizeGB", "0.5", "--oplogSize", "1024", "--quiet");
  const { logs, run } = dataDir;
  const child = await startChild({ name: "mongod", file: options.binary, args, logs, run }, guard);
  options.onStart();
  const uri = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  try {
    await gate(child, logs, READY_DEADLINE_MS, () => accepts(port));
    await recordMongodVersion(dataDir, await awaitPrimary(child, uri, `127.0.0.1:${port}`, logs));
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { child, uri };
}

async function awaitPrimary(
  child: Child,
  uri: string,
  member: string,
  logs: string,
): Promise<string> {
  // The driver takes a while to load: mongod gets ready meanwhile.
  const { MongoClient } = await import("mongodb");
  await using client = await MongoClient.connect(uri, { serverSelectionTimeoutMS: 10_000 });
  await ensureReplicaSet(client, member);
  await gate(child, logs, READY_DEADLINE_MS, async () => {
    const hello = await client.db("admin").command({ hello: 1 });
    return hello["isWritablePrimary"] === true;
  });
  const parameter = { getParameter: 1, featureCompatibilityVersion: 1 };
  const answer = await client.db("admin").command(parameter);
  return String(answer["featureCompatibilityVersion"]?.version);
}

/** Makes the set on first start; gives it the present port when the last start had another. */
async function ensureReplicaSet(client: MongoClient, member: string): Promise<void> {
  const admin = client.db("admin");
  const config = await storedConfig(client);
  if (config === undefined) {
    await admin
      .command({ replSetInitiate: { _id: REPLICA_SET, members: [{ _id: 0, host: member }] } })
      .catch(unlessCode(ALREADY_INITIALIZED));
    return;
  }
  const members: Document[] = config["members"] ?? [];
  if (members.length === 1 && members[0]?.["host"] === member) return;
  if (members.length !== 1)
    throw new Error("the data directory belongs to a replica set of several members");
  const moved = {
    ...config,
    version: config["version"] + 1,
    members: [{ ...members[0], host: member }],
  };
  await admin.command({ replSetReconfig: moved, force: true });
}

async function storedConfig(client: MongoClient): Promise<Document | undefined> {
  try {
    const answer = await client.db("admin").command({ replSetGetConfig: 1 });
    return answer["config"];
  } catch (error) {
    if (hasCode(error, NOT_YET_INITIALIZED)) return undefined;
    // A node that no longer finds itself in its configuration still has it on disk.
    const row = await client.db("local").collection("system.replset").findOne({});
    return row ?? undefined;
  }
}

function unlessCode(code: number): (error: unknown) => void {
  return (error) => {
    if (!hasCode(error, code)) throw error;
  };
}

/** Whether mongod refused a command with this code. */
function hasCode(error: unknown, code: number): boolean {
  return (
    error instanceof Error &&
    error.name === "MongoServerError" &&
    "code" in error &&
    error.code === code
  );
}
