import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { runInNewContext } from "node:vm";
import { type Document, MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { keyMigrations } from "#kit/auth/key-store.ts";
import { requestsMigrations } from "#kit/idempotency/request.ts";
import { type Migration, migrate } from "#kit/mongo/migrate.ts";
import { accountMigrations } from "#services/account/store/migrations.ts";
import { fraudMigrations } from "#services/fraud/store/migrations.ts";
import { gatewayMigrations } from "#services/gateway/store/migrations.ts";
import { notificationMigrations } from "#services/notification/store/migrations.ts";
import { paymentMigrations } from "#services/payment/store/migrations.ts";
import { toolPath } from "#test/support/env.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import { freePort } from "#tools/devstack/ports.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const OWNERS: readonly (readonly [string, readonly Migration[]])[] = [
  ["account", [...accountMigrations, ...requestsMigrations]],
  ["fraud", fraudMigrations],
  ["notification", notificationMigrations],
  ["payment", paymentMigrations],
  ["gateway", gatewayMigrations],
  ["edge", keyMigrations],
];

/** The users as the script of mongo-init asks MongoDB for them, seen by running it. */
function usersOfScript(): readonly Document[] {
  const compose = parse(readFileSync(path.join(ROOT, "docker-compose.yml"), "utf8"), {
    merge: true,
  });
  const script: string = compose.services["mongo-init"].entrypoint.at(-1).replaceAll("$$", "$");
  const commands: Document[] = [];
  class Mongo {
    getDB() {
      return {
        getUser: () => null,
        runCommand: (command: Document) => commands.push(command) && { ok: 1 },
      };
    }
  }
  const passwords = OWNERS.map(([name]) => [
    `MONGO_PASSWORD_${name.toUpperCase()}`,
    `${name}-secret`,
  ]);
  const env = Object.fromEntries([...passwords, ["MONGO_PASSWORD_REPORTING", "reporting-secret"]]);
  const rs = { status: () => ({ members: [{ stateStr: "PRIMARY" }] }) };
  const db = { hello: () => ({ setName: "settle" }) };
  runInNewContext(script, { Mongo, rs, db, sleep: () => undefined, process: { env } });
  return commands;
}

const folder = mkdtempSync(path.join(tmpdir(), "settle-users-"));
let child: ChildProcess;
let port: number;
const as = (user: string, password: string): Promise<MongoClient> =>
  MongoClient.connect(
    `mongodb://${user}:${password}@127.0.0.1:${port}/?directConnection=true&authSource=admin`,
    { useBigInt64: true },
  );
const asService = (name: string) => as(`settle-${name}`, `${name}-secret`);

beforeAll(async () => {
  port = await freePort();
  const keyFile = path.join(folder, "key");
  writeFileSync(keyFile, "0123456789abcdef", { mode: 0o400 });
  const args = [
    "--dbpath",
    folder,
    "--port",
    String(port),
    "--bind_ip",
    "127.0.0.1",
    "--replSet",
    "settle",
  ];
  child = spawn(toolPath("mongod"), [...args, "--keyFile", keyFile, "--nounixsocket", "--quiet"], {
    stdio: "ignore",
  });
  // Until there is a user, this machine may make one.
  const uri = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  await using first = await MongoClient.connect(uri);
  const admin = first.db("admin");
  const members = [{ _id: 0, host: `127.0.0.1:${port}` }];
  await admin.command({ replSetInitiate: { _id: "settle", members } });
  await waitUntil(async () => (await admin.command({ hello: 1 }))["isWritablePrimary"] === true);
  await admin.command({ createUser: "settle", pwd: "root", roles: ["root"] });
  await using root = await as("settle", "root");
  for (const user of usersOfScript()) await root.db("admin").command(user);
});
afterAll(async () => {
  child.kill("SIGKILL");
  await once(child, "exit");
  rmSync(folder, { recursive: true });
});

describe.each(OWNERS)("the user of %s", (name, migrations) => {
  test("makes its database, works in it with transactions, and hears its changes", async () => {
    await using client = await asService(name);
    const db = client.db(`settle_${name}`);
    await migrate(db, migrations);
    // Again, as every start does.
    await migrate(db, migrations);
    await using changes = db.watch();
    const heard = changes.next();
    await client.withSession((session) =>
      session.withTransaction(() => db.collection("probe").insertOne({ a: 1 }, { session })),
    );
    expect(await heard).toBeDefined();
    await client.db("settle_edge").collection("keys").findOne({});
  });

  test("sees no other service's database, and changes no keys but its own", async () => {
    await using client = await asService(name);
    const refused = { codeName: "Unauthorized" };
    for (const other of OWNERS.map(([each]) => each).filter((each) => each !== name)) {
      const rows = client.db(`settle_${other}`).collection("probe");
      if (other !== "edge") await expect(rows.findOne({})).rejects.toMatchObject(refused);
      await expect(rows.insertOne({ a: 1 })).rejects.toMatchObject(refused);
    }
  });
});

test("the user of reporting reads what it audits in one snapshot, and writes nothing", async () => {
  await using client = await asService("reporting");
  await client.withSession({ snapshot: true }, async (session) => {
    for (const name of ["account", "fraud", "notification", "payment"]) {
      await client.db(`settle_${name}`).collection("probe").findOne({}, { session });
    }
  });
  const write = client.db("settle_account").collection("accounts").insertOne({ a: 1 });
  await expect(write).rejects.toMatchObject({ codeName: "Unauthorized" });
});
