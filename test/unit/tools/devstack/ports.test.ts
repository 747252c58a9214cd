import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { freePorts } from "#test/support/free-ports.ts";
import { freePortBase } from "#test/support/start-process.ts";
import { planPorts, portVariables } from "#tools/devstack/port-plan.ts";
import { choosePorts, claimPorts } from "#tools/devstack/ports.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function occupy(port: number): Promise<void> {
  const server = createServer().listen(port, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
}

describe("choosePorts", () => {
  test("moves a taken default port to the next one nobody wants, and tells", async () => {
    const base = await freePortBase();
    await occupy(base);
    const moved: string[] = [];
    const requests = [
      { name: "mongod", port: base, fixed: false },
      { name: "temporal", port: base + 1, fixed: false },
    ];
    const ports = await choosePorts(requests, ({ name }, port) => moved.push(`${name} ${port}`));
    expect(Object.fromEntries(ports)).toEqual({ mongod: base + 2, temporal: base + 1 });
    expect(moved).toEqual([`mongod ${base + 2}`]);
  });

  test("refuses a taken fixed port by name, for whoever fixed it looks there", async () => {
    const [port = 0] = await freePorts(1);
    await occupy(port);
    const request = { name: "mongod", port, fixed: true };
    await expect(choosePorts([request], () => undefined)).rejects.toThrow(
      `port ${port} (mongod) is taken`,
    );
  });
});

describe("claimPorts", () => {
  /** Ports that the system may give to any outgoing connection. */
  const OUTGOING_FROM = 32_768;

  test("holds what it chose until its use, so that no other run is given the same", async () => {
    // Far more than chance would keep apart: of 14,000 ports 40 rows of 100 are over a quarter.
    const rows = await Promise.all(Array.from({ length: 40 }, () => claimPorts(100)));
    const ports = rows.flatMap((first) =>
      Array.from({ length: 100 }, (_, offset) => first + offset),
    );
    expect(new Set(ports).size).toBe(ports.length);
    expect(Math.max(...ports)).toBeLessThan(OUTGOING_FROM);
    await occupy(ports[0] ?? 0);
  });

  test("is kept against another process, and over when that process ends", async () => {
    const script = `
      import { claimPorts } from "#tools/devstack/ports.ts";
      process.stdout.write(String(await claimPorts(1)));
      process.stdin.resume();
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [chosen] = await once(child.stdout, "data");
    const port = Number(chosen);
    expect(await canBind(port)).toBe(false);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await canBind(port)).toBe(true);
  });

  function canBind(port: number): Promise<boolean> {
    const socket = createSocket("udp4");
    return new Promise((resolve) => {
      socket.once("error", () => resolve(false));
      socket.bind({ port, address: "127.0.0.1", exclusive: true }, () => {
        socket.close(() => resolve(true));
      });
    });
  }
});

describe("planPorts", () => {
  test("counts from the port base by the last digits of the default ports", async () => {
    const portBase = await freePortBase();
    const plan = await planPorts(
      { portBase, services: ["account", "gateway"], env: {} },
      () => undefined,
    );
    expect(plan).toMatchObject({
      services: { account: portBase + 1, gateway: portBase + 10 },
      temporal: portBase + 11,
      temporalUi: portBase + 12,
      mongod: portBase + 13,
    });
  });

  test("tells every service where the others are", () => {
    const ports = {
      account: 1,
      fraud: 2,
      notification: 3,
      payment: 4,
      gateway: 5,
      reporting: 6,
      edge: 7,
    };
    expect(portVariables(ports, { scheme: "https", host: "[::1]" })).toMatchObject({
      SETTLE_PORT_PAYMENT: "4",
      SETTLE_URL_PAYMENT: "https://[::1]:4",
    });
  });
});
