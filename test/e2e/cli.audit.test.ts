import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { runCommand } from "#test/support/run-command.ts";
import { booksOf } from "./reporting.books.ts";
import { STORIES } from "./reporting.stories.ts";
import { type AuditStand, startAuditStand } from "./reporting.support.ts";

let stand: AuditStand;
let directory: string;

beforeAll(async () => {
  stand = await startAuditStand();
  directory = await mkdtemp(path.join(os.tmpdir(), "settle-cli-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await stand[Symbol.asyncDispose]();
});
beforeEach(() => stand.fill(booksOf(STORIES)));

/** `settle …` as a process of its own, pointed at the stand. */
function settle(...argv: readonly string[]) {
  const env = { SETTLE_URL_REPORTING: stand.reportingUrl, NO_COLOR: "1" };
  return runCommand([process.execPath, "tools/cli/main.ts", ...argv], { env, boundMs: 30_000 });
}

test("settle audit ends with 0 and eleven lines on clean books", async () => {
  const { exitCode, stdout, stderr } = await settle("audit");
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  expect(stdout.match(/^A\d+ +(ok|not checked) /gm)).toHaveLength(11);
  expect(stdout).toContain("the books are clean");
});

test("settle audit ends with 1 on one cent, and names the payment", async () => {
  const update = { $inc: { capturedMinor: -1n } };
  await stand.change("gateway.transactions", "p01:authorize", update);
  const { exitCode, stdout } = await settle("audit");
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^A7 +BROKEN /m);
  expect(stdout).toMatch(/^A7 {2}p01: .*999/m);
});

test("settle audit --acks checks A10, and ends with 1 when an answer was contradicted", async () => {
  const file = path.join(directory, "acks.jsonl");
  await writeFile(file, '{"request_id":"request-p01","payment_id":"p01","status":"SUCCEEDED"}\n');
  expect((await settle("audit", "--acks", file)).stdout).toMatch(/^A10 +ok +1 /m);
  await writeFile(file, '{"request_id":"request-p01","payment_id":"p02","status":""}\n');
  const { exitCode, stdout } = await settle("audit", "--acks", file, "-o", "json");
  expect(exitCode).toBe(1);
  const { ok, invariants } = JSON.parse(stdout);
  expect(ok).toBe(false);
  expect(invariants[9]).toMatchObject({ result: "INVARIANT_RESULT_BROKEN", violationCount: "1" });
});

test("settle audit is an error when Reporting is away, never a clean answer", async () => {
  const { exitCode, stderr } = await settle("audit", "--address", "127.0.0.1:9");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("error: UNAVAILABLE");
});
