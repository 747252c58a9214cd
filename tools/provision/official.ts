import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Exec } from "./exec.ts";
import type { ProgressTask } from "./progress.ts";
import type { OfficialDownload, ToolSpec } from "./tools.ts";
import { unzipFile } from "./zip.ts";

/** How long the site may take to answer at all; a machine without internet must not wait for long. */
const CONNECT_TIMEOUT_MS = 3_000;
/** A download that brings nothing for this long is given up. */
const STALL_TIMEOUT_MS = 30_000;

/** Downloads, verifies against the checksum the site publishes, unpacks; returns the program's path. */
export async function downloadOfficial(
  spec: ToolSpec,
  download: OfficialDownload,
  staging: string,
  deps: { readonly fetch: typeof fetch; readonly exec: Exec; readonly task: ProgressTask },
): Promise<string> {
  const name = path.posix.basename(new URL(download.url).pathname);
  const expected = await publishedChecksum(download.checksumUrl, name, deps.fetch);
  const archive = path.join(staging, name);
  const actual = await save(download.url, archive, deps.fetch, deps.task);
  if (actual !== expected)
    throw new Error(`${name}: checksum ${actual} is not the published ${expected}`);
  if (name.endsWith(".zip")) {
    const target = path.join(staging, spec.name);
    await unzipFile(archive, spec.name, target);
    return target;
  }
  return await untar(spec, archive, staging, deps.exec);
}

async function publishedChecksum(url: string, name: string, get: typeof fetch): Promise<string> {
  const response = await open(url, get, new AbortController());
  const lines = (await response.text()).split("\n").map((line) => line.trim().split(/\s+/));
  const line = lines.find(([, file]) => file?.replace(/^\*/, "") === name) ?? lines[0];
  const sum = line?.[0]?.toLowerCase();
  if (sum === undefined || !/^[0-9a-f]{64}$/.test(sum)) {
    throw new Error(`no sha256 of ${name} is published at ${url}`);
  }
  if (line?.[1] !== undefined && line[1].replace(/^\*/, "") !== name) {
    throw new Error(`no sha256 of ${name} is published at ${url}`);
  }
  return sum;
}

/** Fails when the headers take longer than the connect timeout; the body may take its time. */
async function open(url: string, get: typeof fetch, abort: AbortController): Promise<Response> {
  const timer = setTimeout(
    () => abort.abort(new Error("no answer within 3 s")),
    CONNECT_TIMEOUT_MS,
  );
  try {
    const response = await get(url, { signal: abort.signal, redirect: "follow" });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return response;
  } catch (error) {
    throw new Error(`${new URL(url).host}: ${rootMessage(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function save(
  url: string,
  target: string,
  get: typeof fetch,
  task: ProgressTask,
): Promise<string> {
  const abort = new AbortController();
  const response = await open(url, get, abort);
  if (response.body === null) throw new Error(`${url} answered nothing`);
  const total = Number(response.headers.get("content-length")) || undefined;
  const hash = createHash("sha256");
  let done = 0;
  const stalled = setTimeout(
    () => abort.abort(new Error("the download stalled")),
    STALL_TIMEOUT_MS,
  );
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      stalled.refresh();
      done += chunk.length;
      hash.update(chunk);
      task.update(done, total);
      next(undefined, chunk);
    },
  });
  try {
    await pipeline(Readable.fromWeb(response.body), meter, createWriteStream(target));
  } finally {
    clearTimeout(stalled);
  }
  if (total !== undefined && done !== total)
    throw new Error(`cut off after ${done} of ${total} bytes`);
  return hash.digest("hex");
}

async function untar(
  spec: ToolSpec,
  archive: string,
  staging: string,
  exec: Exec,
): Promise<string> {
  const result = await exec("tar", ["-xzf", archive, "-C", staging], { timeoutMs: 120_000 });
  if (result.code !== 0)
    throw new Error(`tar could not unpack it: ${result.stderr.trim().slice(-200)}`);
  const files = await readdir(staging, { recursive: true });
  const found = files.find((file) => path.basename(file) === spec.name);
  if (found === undefined) throw new Error(`the archive holds no ${spec.name}`);
  return path.join(staging, found);
}

function rootMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
