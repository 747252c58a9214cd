import { access } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { freePortBase, runStart, temporaryDirectory } from "#test/support/start-process.ts";
import { isFree } from "#tools/devstack/ports.ts";

interface LastLine {
  readonly paymentId: string;
  readonly status: string;
  readonly auditOk: boolean;
  readonly addresses: Readonly<Record<string, string>>;
}

function lastLine(lines: readonly string[]): LastLine {
  return JSON.parse(lines.at(-1) ?? "");
}

describe("npm start -- --once", () => {
  test("settles a payment, proves the books, leaves nothing running, and keeps the data for the next start", async () => {
    await using data = await temporaryDirectory();
    const base = await freePortBase();
    const args = ["--once", "--data-dir", data.path, "--port-base", String(base)];

    const first = await runStart(args).ended;
    expect(first.code, first.lines.join("\n")).toBe(0);
    const told = lastLine(first.lines);
    expect(told).toMatchObject({ status: "SUCCEEDED", auditOk: true });
    expect(told.addresses).toMatchObject({
      account: `127.0.0.1:${base + 1}`,
      payment: `127.0.0.1:${base + 4}`,
      gateway: `127.0.0.1:${base + 10}`,
      temporal: `127.0.0.1:${base + 11}`,
      temporalUi: `127.0.0.1:${base + 12}`,
      mongod: `127.0.0.1:${base + 13}`,
    });
    expect(await Promise.all([1, 4, 11, 13].map((offset) => isFree(base + offset)))).not.toContain(
      false,
    );
    await expect(access(path.join(data.path, "ports.json"))).rejects.toThrow();

    const second = await runStart(args).ended;
    expect(second.code, second.lines.join("\n")).toBe(0);
    expect(lastLine(second.lines).paymentId).not.toBe(told.paymentId);
    expect(second.lines.join("\n")).toContain("Audit: clean (2 final");
  });

  test("names a taken port of --port-base and starts nothing, for another port would not be found", async () => {
    await using data = await temporaryDirectory();
    const base = await freePortBase();
    const stranger = createServer();
    await new Promise<void>((resolve) => stranger.listen(base + 13, "127.0.0.1", resolve));
    try {
      const args = ["--once", "--data-dir", data.path, "--port-base", String(base)];
      const { code, lines } = await runStart(args).ended;
      expect(code).toBe(1);
      expect(lines.join("\n")).toContain(`port ${base + 13} (mongod) is taken by another program`);
    } finally {
      await new Promise((resolve) => stranger.close(resolve));
    }
  });
});
