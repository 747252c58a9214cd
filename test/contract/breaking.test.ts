import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exec } from "#tools/provision/exec.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const TIMEOUT_MS = 60_000;
let copy: string;

beforeAll(async () => {
  copy = await mkdtemp(path.join(tmpdir(), "settle-breaking-"));
  await cp(path.join(ROOT, "proto"), path.join(copy, "proto"), { recursive: true });
  await cp(path.join(ROOT, "buf.yaml"), path.join(copy, "buf.yaml"));
});

afterAll(() => rm(copy, { recursive: true, force: true }));

/** `buf breaking` of the copied contract with one line replaced, against the last release. */
async function breaking(from: string | RegExp, to: string): Promise<string> {
  const file = path.join(copy, "proto/payment/v1/payment.proto");
  const text = await readFile(path.join(ROOT, "proto/payment/v1/payment.proto"), "utf8");
  await writeFile(file, text.replace(from, to));
  const args = ["breaking", copy, "--against", path.join(ROOT, "api/v1.binpb")];
  const { code, stdout } = await exec(path.join(ROOT, "node_modules/.bin/buf"), args, {
    timeoutMs: TIMEOUT_MS,
  });
  return code === 0 ? "" : stdout;
}

test("the contract breaks nothing of the last release", async () => {
  expect(await breaking("", "")).toBe("");
});

test.each([
  [
    "a field with another number",
    "string payment_id = 1;\n  // Who pays.",
    "string payment_id = 99;\n  // Who pays.",
  ],
  ["a field of another type", "string workflow_id = 14;", "bytes workflow_id = 14;"],
  ["a field with another name", "string hold_id = 13;", "string hold_name = 13;"],
  ["a value that is gone", "  PAYMENT_STATUS_REFUNDED = 8;\n", ""],
  ["an RPC that is gone", / {2}rpc GetStatus\(.*?\n {2}}\n/s, ""],
])("%s is caught", async (_, from, to) => {
  expect(await breaking(from, to)).toMatch(/payment\.proto:\d+:\d+:/);
});
