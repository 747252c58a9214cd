import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "#test/support/run-command.ts";
import { type Stack, startStack } from "#test/support/stack.ts";

const EXAMPLES = path.resolve(import.meta.dirname, "../../examples");
const INSTALL_MS = 15 * 60_000;

let stack: Stack;
let folder: string;

// A project of its own, as somebody has it who uses these: they bring six hundred packages.
beforeAll(async () => {
  stack = await startStack();
  folder = await mkdtemp(path.join(tmpdir(), "settle-collections-"));
  await writeFile(path.join(folder, "package.json"), '{"private":true}');
  const packages = ["httpyac@6.16.7", "@usebruno/cli@4.1.0"];
  const flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  const { exitCode, stderr } = await runCommand(["npm", "install", ...flags, ...packages], {
    cwd: folder,
    boundMs: INSTALL_MS,
  });
  expect(exitCode, stderr).toBe(0);
}, INSTALL_MS);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await stack?.[Symbol.asyncDispose]();
});

const program = (name: string): string => path.join(folder, "node_modules/.bin", name);
const host = (): string => `http://${stack.addresses.edge}`;

test("requests.http runs in httpyac, and every answer is what it says", async () => {
  const text = await readFile(path.join(EXAMPLES, "requests.http"), "utf8");
  const file = path.join(folder, "requests.http");
  await writeFile(file, text.replace("http://127.0.0.1:8080", host()));
  const { stdout } = await runCommand([program("httpyac"), "send", file, "--all", "--json"], {
    cwd: folder,
  });
  const { summary } = JSON.parse(stdout);
  const asserted = text.match(/^\?\? /gm)?.length;
  expect(summary).toMatchObject({ failedTests: 0, erroredTests: 0, successTests: asserted });
});

test("the Bruno collection runs, and every answer is what it says", async () => {
  const { exitCode, stdout } = await runCommand(
    [program("bru"), "run", "--env", "local", "--env-var", `host=${host()}`],
    { cwd: path.join(EXAMPLES, "bruno") },
  );
  expect(exitCode, stdout).toBe(0);
  expect(stdout).toMatch(/8 passed|8 \(8 Passed\)|8\/8/);
});
