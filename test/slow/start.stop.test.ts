import { spawn } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { processTree } from "#test/support/process-tree.ts";
import {
  freePortBase,
  portsOf,
  runStart,
  runs,
  type StartProcess,
  temporaryDirectory,
} from "#test/support/start-process.ts";
import { waitUntil } from "#test/support/wait-until.ts";

async function childPids(dataDir: string): Promise<number[]> {
  const run = path.join(dataDir, "run");
  const texts = await Promise.all(
    (await readdir(run)).map((name) => readFile(path.join(run, name), "utf8")),
  );
  return texts.map((text) => JSON.parse(text).pid);
}

async function startQuietly(dataDir: string): Promise<StartProcess> {
  const args = ["--no-demo", "--data-dir", dataDir, "--port-base", String(await freePortBase())];
  const start = runStart(args);
  await portsOf(dataDir);
  return start;
}

describe("npm start", () => {
  test("refuses a directory another start uses, keeps its secrets private, and stops everything on one Ctrl-C", async () => {
    await using data = await temporaryDirectory();
    const start = await startQuietly(data.path);
    const pids = await childPids(data.path);
    expect(pids).toHaveLength(2);

    const second = await runStart(["--once", "--data-dir", data.path]).ended;
    expect(second.code).toBe(1);
    expect(second.lines.join("\n")).toContain(`is in use by process ${start.pid}`);
    const reset = await runStart(["--reset", "--once", "--data-dir", data.path]).ended;
    expect(reset.code).toBe(1);
    expect((await stat(path.join(data.path, "secrets.json"))).mode & 0o777).toBe(0o600);

    // npm, a shell and the terminal each pass one Ctrl-C on.
    start.signal("SIGINT");
    start.signal("SIGINT");
    const { code, lines } = await start.ended;
    expect(code, lines.join("\n")).toBe(0);
    expect(pids.filter(runs)).toEqual([]);
  });

  test("leaves no orphan when it is killed without a word, and starts again on the same data", async () => {
    await using data = await temporaryDirectory();
    const start = await startQuietly(data.path);
    const pids = await childPids(data.path);
    start.signal("SIGKILL");
    await start.ended;

    const again = await startQuietly(data.path);
    await waitUntil(async () => !pids.some(runs), {
      what: "the end of the first start's programs",
    });
    again.signal("SIGTERM");
    expect((await again.ended).code).toBe(0);
  });

  test.each(["SIGKILL", "SIGTERM"] as const)(
    "leaves nothing when npm itself is ended by %s",
    async (signal) => {
      await using data = await temporaryDirectory();
      const args = [
        "--no-demo",
        "--data-dir",
        data.path,
        "--port-base",
        String(await freePortBase()),
      ];
      const npm = spawn("npm", ["start", "--", ...args], {
        stdio: "ignore",
        env: { ...process.env, MONGODB_URI: "", TEMPORAL_ADDRESS: "" },
      });
      await portsOf(data.path);
      const tree = processTree(npm.pid ?? 0).map(({ pid }) => pid);
      expect(tree.length).toBeGreaterThan(4);
      npm.kill(signal);
      await waitUntil(async () => !tree.some(runs), {
        what: "the end of everything",
        boundMs: 30_000,
      });
    },
  );

  test("says why and stops the rest when mongod ends by itself", async () => {
    await using data = await temporaryDirectory();
    const start = await startQuietly(data.path);
    const mongod = JSON.parse(
      await readFile(path.join(data.path, "run", "mongod.json"), "utf8"),
    ).pid;
    const pids = await childPids(data.path);
    process.kill(mongod, "SIGKILL");
    const { code, lines } = await start.ended;
    expect(code).toBe(1);
    expect(lines.join("\n")).toContain("mongod ended (signal SIGKILL). Its last log lines");
    expect(pids.filter(runs)).toEqual([]);
  });
});
