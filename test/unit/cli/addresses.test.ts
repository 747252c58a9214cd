import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { locateServices } from "#tools/cli/addresses.ts";
import { run } from "./run.ts";

let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(os.tmpdir(), "settle-cli-"));
  const ports = {
    payment: "127.0.0.1:9004",
    temporal: "127.0.0.1:9233",
    mongodb: "mongodb://127.0.0.1:9017/?x=1",
    pid: process.pid,
  };
  await writeFile(path.join(dataDir, "ports.json"), JSON.stringify(ports));
});
afterAll(() => rm(dataDir, { recursive: true }));

test("an address on the command line is everybody's, because the edge serves all", () => {
  const env = { SETTLE_URL_PAYMENT: "http://elsewhere:1" };
  const { services } = locateServices({ dataDir, address: "edge:8080" }, env);
  expect(new Set(Object.values(services))).toEqual(new Set(["http://edge:8080"]));
});

test("SETTLE_ADDRESS is the same for who types it once, and the command line goes before it", () => {
  const env = { SETTLE_ADDRESS: "edge:1", SETTLE_URL_PAYMENT: "http://elsewhere:1" };
  expect(locateServices({ dataDir }, env).services.payment).toBe("http://edge:1");
  const address = "other:2";
  expect(locateServices({ dataDir, address }, env).services.payment).toBe("http://other:2");
});

test("an address without a scheme means https where an authority is named, so that no key goes in the clear", () => {
  const at = (address: string, env = {}) =>
    locateServices({ dataDir, address, ca: "ca.pem" }, env).services.edge;
  expect(at("edge:1")).toBe("https://edge:1");
  expect(at("http://edge:1")).toBe("http://edge:1");
  const env = { SETTLE_ADDRESS: "edge:1", SETTLE_TLS_CA: "ca.pem" };
  expect(locateServices({ dataDir }, env).services.edge).toBe("https://edge:1");
});

test("the environment goes before ports.json, and that before the default ports", () => {
  const { services, temporal, mongod } = locateServices(
    { dataDir },
    { SETTLE_URL_ACCOUNT: "https://account" },
  );
  expect(services).toMatchObject({
    account: "https://account",
    payment: "http://127.0.0.1:9004",
    reporting: "http://127.0.0.1:8005",
  });
  expect({ temporal, mongod }).toEqual({ temporal: "127.0.0.1:9233", mongod: "127.0.0.1:9017" });
});

test("a directory that was named and has no running stack is a fault: on the default ports may be another one", async () => {
  const empty = await mkdtemp(path.join(os.tmpdir(), "settle-cli-"));
  try {
    const none = `no stack runs from ${empty}`;
    expect(locateServices({ dataDir: empty }, {}).fault).toBe(none);
    expect(locateServices({}, { SETTLE_DATA_DIR: empty }).fault).toBe(none);
    expect(locateServices({ dataDir: empty, address: "edge:1" }, {}).fault).toBeUndefined();
    await writeFile(path.join(empty, "ports.json"), '{"payment":"127.0.0.1:1","pid":999999999}');
    const left = locateServices({ dataDir: empty }, {});
    expect([left.fault, left.portsFile.state]).toEqual([none, "left"]);
    const said = await run(["--data-dir", empty, "payment", "list"]);
    expect(said.exitCode).toBe(1);
    expect(said.err).toContain(`start it by npm start -- --data-dir ${empty}`);
  } finally {
    await rm(empty, { recursive: true });
  }
});

test("without any word about where, the default ports are meant", () => {
  expect(locateServices({ dataDir }, {}).fault).toBeUndefined();
});

test("SETTLE_DATA_DIR names the directory when the command line does not", () => {
  const found = locateServices({}, { SETTLE_DATA_DIR: dataDir });
  expect(found.portsFile.state).toBe("read");
  expect(found.services.payment).toBe("http://127.0.0.1:9004");
});

test("a missing or broken ports.json falls back to the defaults and says so", async () => {
  const other = path.join(dataDir, "other");
  expect(locateServices({ dataDir: other }, {}).portsFile.state).toBe("absent");
  const broken = await mkdtemp(path.join(dataDir, "broken-"));
  await writeFile(path.join(broken, "ports.json"), "{");
  const found = locateServices({ dataDir: broken }, {});
  expect(found.portsFile.state).toBe("broken");
  expect(found.services.account).toBe("http://127.0.0.1:8001");
});

test.each([
  ["mongodb://user:secret@db1:27018,db2:27018/?replicaSet=rs", "db1:27018"],
  ["mongodb://db1/", "db1:27017"],
])("the first member of %s is the one to knock at", (uri, address) => {
  expect(locateServices({ dataDir }, { MONGODB_URI: uri }).mongod).toBe(address);
});

test("what is no address is refused", () => {
  expect(() => locateServices({ address: "http://" }, {})).toThrow("not an address");
});
