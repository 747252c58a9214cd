import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toolPath } from "#test/support/env.ts";
import { fillVariables, parseHttpFile } from "#test/support/http-file.ts";
import { OFFLINE } from "#test/support/offline.ts";
import { runCommand } from "#test/support/run-command.ts";
import { type Stack, startStack } from "#test/support/stack.ts";

const EXAMPLES = path.resolve(import.meta.dirname, "../../examples");

let stack: Stack;
let folder: string;

beforeAll(async () => {
  stack = await startStack();
  folder = mkdtempSync(path.join(tmpdir(), "settle-examples-"));
  symlinkSync(toolPath("grpcurl"), path.join(folder, "grpcurl"));
});
afterAll(async () => {
  // Go keeps its modules read-only, elsewhere; only what we made is here.
  rmSync(folder, { recursive: true, force: true });
  await stack?.[Symbol.asyncDispose]();
});

function run(command: readonly [string, ...string[]], cwd: string) {
  const env = {
    SETTLE_URL: `http://${stack.addresses.edge}`,
    PATH: `${folder}:${process.env["PATH"]}`,
  };
  return runCommand(command, { cwd: path.join(EXAMPLES, cwd), env, boundMs: 170_000 });
}

const isInstalled = (program: string, arg: string): boolean =>
  spawnSync(program, [arg]).status === 0;
const PAID = /is SUCCEEDED[\s\S]*refunded 25 by [0-9a-f-]{36}/;

describe("an example pays, sees the end and gives the money back", () => {
  test.each([
    ["typescript-grpc-js", [process.execPath, "main.ts"]],
    ["curl", ["bash", "pay.sh"]],
    ["grpcurl", ["bash", "pay.sh"]],
  ] as const)("%s", async (name, command) => {
    const { exitCode, stdout, stderr } = await run(command, name);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(PAID);
  });

  test.skipIf(!isInstalled("go", "version"))(
    "go, where it is installed",
    async (context) => {
      const { exitCode, stdout, stderr } = await run(["go", "run", "."], "go");
      if (exitCode !== 0 && OFFLINE.test(stderr)) context.skip("no module proxy is reached");
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toMatch(PAID);
    },
    180_000,
  );

  test("typescript-connect, as a project of its own that installed the client", async (context) => {
    const script = ["bash", "run.sh", path.join(folder, "typescript")] as const;
    const { exitCode, stdout, stderr } = await run(script, "typescript-connect");
    if (exitCode !== 0 && OFFLINE.test(stderr)) context.skip("no package registry is reached");
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(PAID);
  }, 180_000);

  test.skipIf(!isInstalled("python3", "--version"))(
    "python, where it is installed",
    async (context) => {
      const { exitCode, stdout, stderr } = await run(["bash", "run.sh", folder], "python");
      if (exitCode !== 0 && OFFLINE.test(stderr)) context.skip("no package index is reached");
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toMatch(PAID);
    },
    180_000,
  );

  test("the page names every one", () => {
    const page = readFileSync(path.join(EXAMPLES, "README.md"), "utf8");
    const present = readdirSync(EXAMPLES).filter((name) => name !== "README.md");
    expect(present.filter((name) => !page.includes(`(${name}`))).toEqual([]);
  });
});

test("requests.http answers each request with the status it says", async () => {
  const requests = parseHttpFile(readFileSync(path.join(EXAMPLES, "requests.http"), "utf8"));
  const values: Record<string, unknown> = { host: `http://${stack.addresses.edge}` };
  expect(requests.length).toBeGreaterThan(8);
  for (const { title, method, url, headers, body, expected, name } of requests) {
    const response = await fetch(fillVariables(url, values), {
      method,
      headers,
      ...(body === "" ? {} : { body: fillVariables(body, values) }),
    });
    const text = await response.text();
    expect(response.status, `${title}: ${text}`).toBe(expected);
    if (name !== "") values[name] = JSON.parse(text);
  }
});
