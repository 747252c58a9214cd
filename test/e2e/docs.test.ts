import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_PORTS } from "#kit/config.ts";
import { shellBlocks } from "../support/doc-blocks.ts";
import { toolPath } from "../support/env.ts";
import { runCommand } from "../support/run-command.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { readTree } from "../support/tidy/files.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Commands marked `run`, with the page they stand on, in the order a reader would try them. */
const COMMANDS = readTree(ROOT)
  .filter(({ path: file }) => file.endsWith(".md"))
  .flatMap(({ path: file, text }) =>
    shellBlocks(text)
      .filter(({ mark }) => mark === "run")
      .flatMap(({ commands }) => commands.map((command) => [file, command] as const)),
  );

/** What the page promises of a command, besides that it ends well. */
const PROMISED: readonly (readonly [command: RegExp, output: RegExp])[] = [
  [/BEHAVIOUR_DECLINE/, /GATEWAY_DECLINED/],
  [/Create|payment create|:\d+\/payment$/, /SUCCEEDED/],
  [/audit/, /A1\b[\s\S]*A11\b/],
];

let stack: Stack;
let bin: string;

beforeAll(async () => {
  stack = await startStack();
  bin = mkdtempSync(path.join(tmpdir(), "settle-docs-"));
  for (const tool of ["grpcurl", "k6"]) symlinkSync(toolPath(tool), path.join(bin, tool));
});

afterAll(async () => {
  rmSync(bin, { recursive: true });
  await stack[Symbol.asyncDispose]();
});

describe("commands on our pages do what the page says", () => {
  test("the README has some, so that this test tests something", () => {
    expect(COMMANDS.filter(([file]) => file === "README.md").length).toBeGreaterThan(4);
  });

  test.each(COMMANDS)("%s: %s", async (_, command) => {
    const { exitCode, stdout, stderr } = await runCommand(
      ["bash", "-euo", "pipefail", "-c", withPorts(command)],
      { cwd: ROOT, env: { ...stack.env, PATH: `${bin}:${process.env["PATH"]}` } },
    );
    expect(exitCode, stderr).toBe(0);
    const promised = PROMISED.find(([pattern]) => pattern.test(command))?.[1];
    if (promised) expect(stdout).toMatch(promised);
  });
});

test("the pages use the default ports, so that they work as they stand", () => {
  const ports = new Set(Object.values(DEFAULT_PORTS).map(String));
  const readme = readFileSync(path.join(ROOT, "README.md"), "utf8");
  const named = [...readme.matchAll(/127\.0\.0\.1:(\d+)/g)].map((match) => match[1] ?? "");
  expect(named.filter((port) => !ports.has(port) && port !== "8233")).toEqual([]);
});

/** The command against this run's stack instead of the default ports. */
function withPorts(command: string): string {
  return Object.entries(DEFAULT_PORTS).reduce(
    (text, [name, port]) =>
      text.replaceAll(
        `127.0.0.1:${port}`,
        Object.entries(stack.addresses).find(([service]) => service === name)?.[1] ?? "",
      ),
    command,
  );
}
