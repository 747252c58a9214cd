import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EntryDirection } from "#gen/account/v1/account_pb.ts";
import {
  AttentionKind,
  type AuditResponseSchema,
  InvariantResult,
  type StreamAuditRequest,
} from "#gen/reporting/v1/reporting_pb.ts";
import { checkNode, checkTool } from "#tools/cli/doctor/checks.ts";
import { run, startStubs } from "./run.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "settle-cli-"));
});
afterAll(() => rm(directory, { recursive: true }));

const usd = (minorUnits: bigint) => ({ currencyCode: "USD", minorUnits });

describe("help", () => {
  test.each([
    [[], 2],
    [["--help"], 0],
    [["payment", "create", "--help"], 0],
    [["payment", "explode"], 2],
    [["account", "get"], 2],
    [["audit", "-o", "yaml"], 2],
  ])("%j exits with %i", async (argv, exitCode) => {
    expect((await run(argv)).exitCode).toBe(exitCode);
  });

  test.each([
    ["payment", "create"],
    ["payment", "get"],
    ["payment", "watch"],
    ["payment", "cancel"],
    ["payment", "capture"],
    ["payment", "refund"],
    ["payment", "list"],
    ["account", "get"],
    ["account", "entries"],
    ["audit"],
    ["recover"],
    ["doctor"],
  ])("%s %s shows an example, because nobody reads options first", async (...argv) => {
    const { out } = await run([...argv, "--help"]);
    expect(out).toContain("Example");
    expect(out).toContain(`settle ${argv.join(" ")}`);
  });
});

describe("account", () => {
  test("get shows balance, held and available", async () => {
    await using stubs = await startStubs({
      account: {
        getAccount: ({ accountId }) => ({
          account: { accountId, balance: usd(1000n), held: usd(250n), available: usd(750n) },
        }),
      },
    });
    const { out } = await run(["account", "get", "1", "--address", stubs.address]);
    expect(out).toMatch(/balance +10\.00 USD\nheld +2\.50 USD\navailable +7\.50 USD/);
  });

  test("entries shows what went out with a minus, so that a column can be added up by eye", async () => {
    const { CREDIT, DEBIT } = EntryDirection;
    await using stubs = await startStubs({
      account: {
        listEntries: () => ({
          entries: [
            { direction: DEBIT, amount: usd(5n), counterAccountId: "shop", transactionId: "t2" },
            { direction: CREDIT, amount: usd(1000n), transactionId: "t1" },
          ],
        }),
      },
    });
    const { out } = await run(["account", "entries", "1", "--address", stubs.address]);
    expect(out).toMatch(/-0\.05 USD .*shop +t2/);
    expect(out).toMatch(/\+10\.00 USD/);
  });
});

test("recover says what it started and what it could not start", async () => {
  await using stubs = await startStubs({
    payment: {
      recover: () => ({ openPayments: 3, startedWorkflows: 2, errors: ["p9: Temporal is away"] }),
    },
  });
  const { exitCode, out } = await run(["recover", "--address", stubs.address]);
  expect(exitCode).toBe(0);
  expect(out).toMatch(/open payments +3\n/);
  expect(out).toContain("not started: p9: Temporal is away");
});

describe("audit", () => {
  const answer = (result: InvariantResult) => ({
    ok: result !== InvariantResult.BROKEN,
    invariants: [
      { id: "A1", title: "sums", result: InvariantResult.OK, checked: 9n },
      {
        id: "A6",
        title: "ledger",
        result,
        checked: 9n,
        violationCount: result === InvariantResult.BROKEN ? 1n : 0n,
        violations:
          result === InvariantResult.BROKEN ? [{ id: "p1", detail: "nothing was posted" }] : [],
      },
    ],
    finalPayments: 9n,
  });

  /** A Reporting that answers so. */
  const reporting = (
    audit: (request: StreamAuditRequest) => MessageInitShape<typeof AuditResponseSchema>,
  ) => ({
    async *streamAudit(request: StreamAuditRequest) {
      yield { event: { case: "progress", value: { checkedPayments: 1n } } } as const;
      yield { event: { case: "audit", value: audit(request) } } as const;
    },
  });

  test("exits with 0 on clean books and with 1 on one violation, naming it", async () => {
    let result: InvariantResult = InvariantResult.OK;
    await using stubs = await startStubs({ reporting: reporting(() => answer(result)) });
    const argv = ["audit", "--address", stubs.address];
    expect(await run(argv)).toMatchObject({ exitCode: 0, err: "" });
    result = InvariantResult.BROKEN;
    const outcome = await run(argv);
    expect(outcome.exitCode).toBe(1);
    expect(outcome.out).toContain("A6  p1: nothing was posted");
    expect(await run([...argv, "-o", "json"])).toMatchObject({ exitCode: 1 });
  });

  test("sends a long file in several calls, each within the limits of a request", async () => {
    const sizes: number[] = [];
    await using stubs = await startStubs({
      reporting: reporting(({ acknowledgements }) => {
        sizes.push(acknowledgements.length);
        return {
          ok: true,
          invariants: [{ id: "A10", checked: BigInt(acknowledgements.length) }],
        };
      }),
    });
    const file = path.join(directory, "acks.jsonl");
    const long = { request_id: "r".repeat(128), payment_id: "p".repeat(64), status: "SUCCEEDED" };
    await writeFile(file, `${JSON.stringify(long)}\n`.repeat(1_500));
    const argv = ["audit", "--acks", file, "-o", "json", "--address", stubs.address];
    const { out, err } = await run(argv);
    expect(err).toBe("");
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(1_500);
    expect(JSON.parse(out).invariants[0].checked).toBe("1500");
  });

  test.each([
    ["is not there", "nowhere.jsonl", undefined, 2],
    ["has a broken line", "broken.jsonl", '{"payment_id":"p"}\n{', 2],
    ["is empty", "empty.jsonl", "\n", 1],
  ])("a file that %s is an error, never a clean A10", async (_, name, content, exitCode) => {
    const file = path.join(directory, name);
    if (content !== undefined) await writeFile(file, content);
    expect((await run(["audit", "--acks", file, "--address", "127.0.0.1:9"])).exitCode).toBe(
      exitCode,
    );
  });

  test("tells what waits, with the oldest of each kind, and exits with 0 all the same", async () => {
    const item = (id: string) => ({ id, detail: "is PROCESSING" });
    const attention = [
      {
        kind: AttentionKind.OPEN_PAYMENT,
        count: 4n,
        oldestAge: { seconds: 5_400n },
        oldest: ["p1", "p2", "p3", "p4"].map(item),
      },
    ];
    const open = { ...answer(InvariantResult.OK), attention };
    await using stubs = await startStubs({ reporting: reporting(() => open) });
    const { exitCode, out } = await run(["audit", "--address", stubs.address]);
    expect(exitCode).toBe(0);
    expect(out).toMatch(
      /Look at\n {2}4 open payment, the oldest for 90 min\n {4}p1: is PROCESSING\n/,
    );
    expect(out).toContain("p3: ");
    expect(out).not.toContain("p4: ");
  });

  test("is coloured on a terminal only, and never with NO_COLOR", async () => {
    await using stubs = await startStubs({
      reporting: reporting(() => answer(InvariantResult.OK)),
    });
    const argv = ["audit", "--address", stubs.address];
    const colour = "\u001b[";
    expect((await run(argv, { terminal: true })).out).toContain(colour);
    expect((await run(argv)).out).not.toContain(colour);
    expect((await run(argv, { terminal: true, env: { NO_COLOR: "1" } })).out).not.toContain(colour);
  });
});

describe("doctor", () => {
  test("finds running services and names what is away, with what to do", async () => {
    await using stubs = await startStubs({});
    const url = `http://${stubs.address}`;
    const env = {
      SETTLE_URL_PAYMENT: url,
      SETTLE_URL_ACCOUNT: "http://127.0.0.1:9",
      TEMPORAL_ADDRESS: "127.0.0.1:9",
      MONGODB_URI: "mongodb://127.0.0.1:9/",
    };
    const { exitCode, out } = await run(["doctor", "-o", "json", "--data-dir", directory], { env });
    expect(exitCode).toBe(1);
    const { ok, checks } = JSON.parse(out);
    const found = new Map(checks.map((one: { check: string }) => [one.check, one]));
    expect(ok).toBe(false);
    expect(found.get("payment")).toMatchObject({ result: "ok" });
    expect(found.get("account")).toMatchObject({
      result: "fail",
      next: expect.stringContaining("SETTLE_URL_ACCOUNT"),
    });
    expect(found.get("Temporal")).toMatchObject({
      result: "fail",
      next: expect.stringContaining("npm start"),
    });
    expect(found.get("mongod")).toMatchObject({ result: "fail" });
    expect(found.get("ports.json")).toMatchObject({ result: "warn" });
    expect(found.get("node")).toMatchObject({ result: "ok" });
    expect(found.get("disk")).toBeDefined();
  });

  test("an old Node is named before it fails on the first type annotation", () => {
    expect(checkNode("20.20.2")).toMatchObject({
      result: "fail",
      next: expect.stringContaining("npm ci"),
    });
    expect(checkNode("24.0.0").result).toBe("ok");
  });

  test("a tool is found by its variable, on the PATH and in the cache, and missed aloud", async () => {
    const tool = path.join(directory, "grpcurl");
    await writeFile(tool, "", { mode: 0o755 });
    const nowhere = { PATH: "", XDG_CACHE_HOME: path.join(directory, "cache") };
    expect(
      await checkTool("grpcurl", { ...nowhere, SETTLE_TOOL_GRPCURL: tool }, false),
    ).toMatchObject({ result: "ok", found: tool });
    expect(await checkTool("grpcurl", { ...nowhere, PATH: directory }, false)).toMatchObject({
      result: "ok",
    });
    expect(await checkTool("grpcurl", nowhere, false)).toMatchObject({
      result: "warn",
      next: expect.stringContaining("SETTLE_TOOL_GRPCURL"),
    });
  });
});
