import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { MongoClient } from "mongodb";
import { expect, test } from "vitest";
import { portsOf, runStart, temporaryDirectory } from "#test/support/start-process.ts";
import { accepts } from "#tools/devstack/gate.ts";
import { startPrivateInfrastructure } from "#tools/devstack/infrastructure.ts";
import { defaultDeps } from "#tools/provision/provision.ts";

const portOf = (address = ""): number => Number(address.split(":").at(-1));

/** Listening addresses of a running start, apart from what is no address. */
function listening(ports: Record<string, string>): string[] {
  const { pid: _pid, mongodb = "", ...rest } = ports;
  return [...Object.values(rest), new URL(mongodb).host];
}

test("a second npm start and the servers of a test run find other ports while one start is up, and none disturbs another", async () => {
  await using one = await temporaryDirectory();
  await using other = await temporaryDirectory();
  const first = runStart(["--no-demo", "--data-dir", one.path]);
  const firstPorts = await portsOf(one.path);
  // Default ports again: they are taken now.
  const second = await runStart(["--once", "--data-dir", other.path]).ended;
  expect(second.code, second.lines.join("\n")).toBe(0);
  expect(second.lines.join("\n")).toContain("is taken by another program");
  const told: { addresses: Record<string, string> } = JSON.parse(second.lines.at(-1) ?? "");
  const mine = new Set(listening(firstPorts).map(portOf));
  expect(
    Object.values(told.addresses)
      .map(portOf)
      .filter((port) => mine.has(port)),
  ).toEqual([]);

  const directory = await mkdtemp(path.join(tmpdir(), "settle-beside-"));
  try {
    const deps = {
      ...defaultDeps(),
      env: { ...process.env, MONGODB_URI: "", TEMPORAL_ADDRESS: "" },
    };
    await using infrastructure = await startPrivateInfrastructure(directory, deps);
    await using client = await MongoClient.connect(infrastructure.mongodbUri);
    await expect(client.db("beside").collection("rows").insertOne({})).resolves.toBeDefined();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }

  const still = await Promise.all([...mine].map((port) => accepts(port)));
  expect(still).not.toContain(false);
  first.signal("SIGTERM");
  expect((await first.ended).code).toBe(0);
});
