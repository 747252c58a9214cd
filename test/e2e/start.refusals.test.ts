import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { createAuthority } from "#test/support/certificates.ts";
import { runStart, temporaryDirectory } from "#test/support/start-process.ts";

describe("npm start refuses before it starts anything", () => {
  test("an unknown flag, with the help and an exit code of its own", async () => {
    const { code, lines } = await runStart(["--onec"]).ended;
    expect(code).toBe(2);
    expect(lines.join("\n")).toMatch(/'--onec'[\s\S]*--port-base N/);
  });

  test("a data directory of a newer version, and leaves it as it was", async () => {
    await using data = await temporaryDirectory();
    await writeFile(path.join(data.path, "version.json"), '{"dataVersion":99}');
    const { code, lines } = await runStart(["--once", "--data-dir", data.path]).ended;
    expect(code).toBe(1);
    expect(lines.join("\n")).toContain("was written by a newer Settle");
    expect(await readdir(data.path)).toEqual(["version.json"]);
  });

  test("an address that others reach without a way to know callers, and says what to set", async () => {
    await using data = await temporaryDirectory();
    const env = { SETTLE_HOST: "0.0.0.0" };
    const { code, lines } = await runStart(["--once", "--data-dir", data.path], env).ended;
    expect(code).toBe(1);
    expect(lines.join("\n")).toMatch(/set SETTLE_MODE=production[\s\S]*set SETTLE_TLS_CERT and/);
    expect(await readdir(path.join(data.path, "run"))).toEqual([]);
  });

  test("a certificate that is not for the address by which the services call each other", async () => {
    await using data = await temporaryDirectory();
    using authority = createAuthority();
    const { cert, key } = authority.issue("server");
    const tls = { SETTLE_TLS_CERT: cert, SETTLE_TLS_KEY: key, SETTLE_TLS_CA: authority.ca };
    const env = { SETTLE_MODE: "production", SETTLE_HOST: "pay.example", ...tls };
    const { code, lines } = await runStart(["--once", "--data-dir", data.path], env).ended;
    expect(code).toBe(1);
    expect(lines.join("\n")).toContain("is not for pay.example, by which the services call");
  });

  test("a tool path that does not work, by the variable's name", async () => {
    await using data = await temporaryDirectory();
    const env = { SETTLE_TOOL_MONGOD: "/nowhere/mongod" };
    const { code, lines } = await runStart(["--once", "--data-dir", data.path], env).ended;
    expect(code).toBe(1);
    expect(lines.join("\n")).toContain("SETTLE_TOOL_MONGOD=/nowhere/mongod cannot be used");
  });
});
