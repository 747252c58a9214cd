import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VERSION } from "#kit/version.ts";
import { type CommandOutcome, runCommand } from "#test/support/run-command.ts";

const TOOLS = path.resolve(import.meta.dirname, "../../../tools");
const MAIN = 'console.log("ran", String(process.argv.slice(2))); process.exitCode = 7;\n';

/** npm as far as the entry script needs it: notes that it ran and installs what the lock file says. */
const NPM = `
import { appendFileSync, copyFileSync, mkdirSync } from "node:fs";
appendFileSync("npm-calls", process.argv.slice(2, 3) + "\\n");
mkdirSync("node_modules", { recursive: true });
copyFileSync("package-lock.json", "node_modules/.package-lock.json");
`;

let clone: string;

beforeEach(async () => {
  clone = await mkdtemp(path.join(tmpdir(), "settle-clone-"));
  await mkdir(path.join(clone, "tools", "cli"), { recursive: true });
  for (const file of ["run.mjs", "launch.mjs"]) {
    await copyFile(path.join(TOOLS, file), path.join(clone, "tools", file));
  }
  await writeFile(path.join(clone, "tools", "cli", "main.ts"), MAIN);
  await writeFile(path.join(clone, "package.json"), '{"type":"module"}');
  await writeFile(path.join(clone, "npm-cli.js"), NPM);
  await lockFile("1.0.0");
});
afterEach(() => rm(clone, { recursive: true, force: true }));

async function lockFile(version: string): Promise<void> {
  const packages = {
    "": {},
    "node_modules/a": { version },
    "node_modules/other-system": { version, optional: true },
  };
  await writeFile(path.join(clone, "package-lock.json"), JSON.stringify({ packages }));
}

async function settle(...args: string[]): Promise<CommandOutcome> {
  return await runCommand([process.execPath, "tools/run.mjs", "settle", ...args], {
    cwd: clone,
    env: { npm_execpath: path.join(clone, "npm-cli.js") },
  });
}

async function npmCalls(): Promise<string> {
  return await readFile(path.join(clone, "npm-calls"), "utf8").catch(() => "");
}

describe("the entry script", () => {
  test("installs on a fresh clone, once, and passes arguments and exit code through", async () => {
    const first = await settle("a", "b");
    expect(first.stdout).toMatch(/Installing packages[\s\S]*ran a,b\n$/);
    expect(first.exitCode).toBe(7);
    expect((await settle()).stdout).toBe("ran \n");
    expect(await npmCalls()).toBe("ci\n");
  });

  test("installs again when the lock file has changed, so that a pull never runs on old packages", async () => {
    await settle();
    await lockFile("2.0.0");
    await settle();
    expect(await npmCalls()).toBe("ci\nci\n");
  });

  test("takes what a person installed by hand, packages of other systems left out", async () => {
    await mkdir(path.join(clone, "node_modules"));
    const packages = { "node_modules/a": { version: "1.0.0" } };
    await writeFile(
      path.join(clone, "node_modules", ".package-lock.json"),
      JSON.stringify({ packages }),
    );
    expect((await settle()).exitCode).toBe(7);
    expect(await npmCalls()).toBe("");
  });

  test("takes over the install lock of a run that was killed", async () => {
    await mkdir(path.join(clone, ".cache"));
    await writeFile(path.join(clone, ".cache", "install.lock"), "999999999");
    expect((await settle()).exitCode).toBe(7);
  });

  test("goes on under the Node that npm installed", async () => {
    const bin = path.join(clone, "node_modules", `node-${process.platform}-${process.arch}`, "bin");
    await mkdir(bin, { recursive: true });
    const script = '#!/bin/sh\n[ "$1" = --version ] && echo v24.99.0 || echo "packaged $2"\n';
    await writeFile(path.join(bin, "node"), script);
    await chmod(path.join(bin, "node"), 0o755);
    expect((await settle("x")).stdout).toMatch(/packaged x\n$/);
  });

  test("names its commands when it does not know one", async () => {
    const outcome = await runCommand([process.execPath, "tools/run.mjs", "stop"], { cwd: clone });
    expect(outcome).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/start\|test\|.*settle/),
    });
  });
});

test("the command that npm start prints can be called as it is printed", async () => {
  const { exitCode, stdout } = await runCommand([path.join(TOOLS, "settle.mjs"), "--version"]);
  expect([exitCode, stdout.trim()]).toEqual([0, VERSION]);
});
