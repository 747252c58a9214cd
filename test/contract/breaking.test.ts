import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readContract } from "#tools/docs/api/image.ts";
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
  ["another Go package", "/payment/v1;paymentv1", "/payment/v2;paymentv2"],
])("%s is caught", async (_, from, to) => {
  expect(await breaking(from, to)).toMatch(/payment\.proto:\d+:\d+:/);
});

describe("the last release", () => {
  test("covers every service, so that none can be broken unseen", async () => {
    const released = createFileRegistry(
      fromBinary(FileDescriptorSetSchema, await readFile(path.join(ROOT, "api/v1.binpb"))),
    );
    const services = (await readContract()).flatMap(({ services }) => services);
    expect(services.length).toBeGreaterThan(7);
    const missing = services.filter(({ typeName }) => !released.getService(typeName));
    expect(missing.map(({ typeName }) => `${typeName}: run npm run release:contract`)).toEqual([]);
  });

  test("names a Go package in every file, the same for all files of a package", async () => {
    const wrong = (await readContract()).filter(({ proto }) => {
      const [name = "", version = ""] = proto.package.split(".");
      const expected = `github.com/settle-payments/settle-go/${name}/${version};${name}${version}`;
      return proto.options?.goPackage !== expected;
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });
});
