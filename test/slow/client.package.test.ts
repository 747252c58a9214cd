import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OFFLINE } from "#test/support/offline.ts";
import { runCommand } from "#test/support/run-command.ts";
import { type Stack, startStack } from "#test/support/stack.ts";
import { buildClient } from "#tools/client/build.ts";

const EXAMPLE = path.resolve(import.meta.dirname, "../../examples/typescript-connect");
const NODES = ["20.20.2", "22.23.1", "24.21.0"];
const ESBUILD = "0.28.2";
const PAID = /is SUCCEEDED[\s\S]*refunded 25 by [0-9a-f-]{36}[\s\S]*"minorUnits":"25"/;

let stack: Stack;
let folder: string;
/** A fresh project that has the tarball as its only dependency, and TypeScript. */
let project: string;
let offline = "";

beforeAll(async () => {
  stack = await startStack();
  folder = mkdtempSync(path.join(tmpdir(), "settle-package-"));
  project = path.join(folder, "project");
  cpSync(EXAMPLE, project, { recursive: true });
  offline = await install(project, await buildClient(folder));
}, 240_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await stack?.[Symbol.asyncDispose]();
});

/** Installs packages by npm; answers why none could be fetched, or nothing. */
async function install(cwd: string, ...packages: readonly string[]): Promise<string> {
  mkdirSync(cwd, { recursive: true });
  const { exitCode, stderr } = await runCommand(
    ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", ...packages],
    { cwd, boundMs: 170_000 },
  );
  if (exitCode === 0 || OFFLINE.test(stderr)) return exitCode === 0 ? "" : stderr;
  throw new Error(stderr);
}

function tsc(options: readonly string[]) {
  return runCommand([path.join(project, "node_modules/.bin/tsc"), ...options], { cwd: project });
}

describe("the packed client in a fresh project", () => {
  test("compiles under NodeNext without skipLibCheck and without one line of output", async (context) => {
    if (offline) context.skip("no package registry is reached");
    expect(await tsc([])).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  });

  test.each([
    ["a browser project without the types of Node", "bundler", "es2022,dom", "esnext"],
    ["a project of an older library", "nodenext", "es2022,dom", "nodenext"],
  ])("compiles in %s", async (_, resolution, lib, module) => {
    const page = path.join(project, "page.ts");
    writeFileSync(page, PAGE);
    const options = ["--moduleResolution", resolution, "--module", module, "--lib", lib];
    const strict = ["--strict", "--noEmit", "--skipLibCheck", "false"];
    const browser = resolution === "bundler" ? ["--customConditions", "browser"] : [];
    const args = ["--ignoreConfig", ...options, ...strict, ...browser, "--target", "es2022", page];
    expect(await tsc(args)).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  });

  test.each(NODES)(
    "pays, watches, lists and refunds on Node %s without a warning",
    async (version) => {
      const node = path.join(folder, `node-${version}`);
      await install(node, `node-${process.platform}-${process.arch}@${version}`);
      const place = `node_modules/node-${process.platform}-${process.arch}/bin/node`;
      const { exitCode, stdout, stderr } = await runCommand(
        [path.join(node, place), "--trace-warnings", path.join(project, "dist/main.js")],
        { env: { SETTLE_URL: `http://${stack.addresses.edge}`, NODE_OPTIONS: undefined } },
      );
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toMatch(PAID);
      expect(stderr).toBe("");
    },
    180_000,
  );

  test("goes into a bundle for browsers that has nothing of Node and pays by fetch alone", async () => {
    writeFileSync(path.join(project, "page.ts"), PAGE);
    await install(project, `esbuild@${ESBUILD}`);
    const bundle = path.join(project, "page.mjs");
    const { exitCode, stderr } = await runCommand(
      [
        path.join(project, "node_modules/.bin/esbuild"),
        "page.ts",
        "--bundle",
        "--format=esm",
        "--platform=browser",
        "--log-level=warning",
        `--outfile=${bundle}`,
      ],
      { cwd: project },
    );
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(readFileSync(bundle, "utf8")).not.toMatch(/from "node:|require\("/);
    writeFileSync(
      path.join(project, "run.mjs"),
      `import { pay } from "./page.mjs";\nconsole.log(await pay(process.argv[2]));`,
    );
    const paid = await runCommand([
      process.execPath,
      path.join(project, "run.mjs"),
      `http://${stack.addresses.edge}`,
    ]);
    expect(paid.stdout, paid.stderr).toMatch(/"status":"PAYMENT_STATUS_SUCCEEDED"/);
  }, 180_000);
});

/** What a page would do; no name of Node in it. */
const PAGE = `
import { createSettleClient, toJson, verifyWebhook, WaitUntil } from "@settle-payments/client";

export async function pay(baseUrl: string): Promise<string> {
  const settle = createSettleClient({ baseUrl, protocol: "connect" });
  const { payment } = await settle.payment.create({
    accountId: "1",
    amount: { currencyCode: "USD", minorUnits: 25n },
    waitUntil: WaitUntil.COMPLETED,
  });
  settle.close();
  return payment === undefined ? "" : JSON.stringify(toJson(payment));
}

export const verify = verifyWebhook;
`;
