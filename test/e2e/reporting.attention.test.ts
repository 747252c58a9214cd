import type { Document } from "mongodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  AttentionKind,
  InvariantResult,
  ReportingService,
  type StreamAuditResponse,
} from "#gen/reporting/v1/reporting_pb.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { endsWithSubject } from "#services/payment/domain/task.ts";
import { isTaskOfOpen } from "#services/reporting/domain/books.ts";
import { enumText } from "#tools/cli/output.ts";
import { booksOf, notice } from "./reporting.books.ts";
import { STORIES } from "./reporting.stories.ts";
import { type AuditStand, broken, startAuditStand } from "./reporting.support.ts";

let stand: AuditStand;

beforeAll(async () => {
  stand = await startAuditStand();
});
afterAll(() => stand[Symbol.asyncDispose]());
beforeEach(() => stand.fill(booksOf(STORIES)));

const set = (fields: Document): Document => ({ $set: fields });

describe("what fraud tallied", () => {
  test.each([
    ["is more than its checks say", "alice:USD", set({ amount: 999_999n })],
    ["is less than its checks say", "alice:USD", set({ amount: 0n })],
  ])("A9 names the tally that %s", async (_, name, update) => {
    await stand.change("fraud.tallies", name, update);
    expect(broken(await stand.audit())).toEqual({ A9: [name] });
  });

  test("A9 names the account whose checks are tallied nowhere", async () => {
    await (await stand.collection("fraud.tallies")).deleteMany({});
    expect(broken(await stand.audit())).toEqual({ A9: ["alice:USD"] });
  });
});

describe("what people were told", () => {
  const tells = (name: string, value: string) => set({ variables: [{ key: name, value }] });

  test.each([
    ["another amount", "p01:succeeded", "minorUnits", "1001", "p01"],
    ["more than was taken", "p01:succeeded", "capturedMinorUnits", "1001", "p01"],
    ["another currency", "p01:succeeded", "currencyCode", "EUR", "p01"],
    ["another reason", "p03:failed", "reason", "GATEWAY_DECLINED", "p03"],
    ["another refund", "r1:refunded", "minorUnits", "501", "p02"],
  ])("A8 names the payment whose message tells %s", async (_, id, name, value, paymentId) => {
    await stand.change("notification.notifications", id, tells(name, value));
    expect(broken(await stand.audit())).toEqual({ A8: [paymentId] });
  });

  test.each([
    ["p01:succeeded", "minorUnits", "1000"],
    ["p01:succeeded", "capturedMinorUnits", "1000"],
    ["p03:failed", "reason", "INSUFFICIENT_FUNDS"],
    ["r1:refunded", "minorUnits", "500"],
  ])("A8 takes a message %s that tells %s as it was", async (id, name, value) => {
    await stand.change("notification.notifications", id, tells(name, value));
    expect((await stand.audit()).ok).toBe(true);
  });

  const reads = (amount: string, body: string) =>
    set({ variables: [{ key: "amount", value: amount }], body });

  test.each([
    ["of another amount", "10.01 USD", "Your payment of 10.01 USD went through."],
    ["of no amount, though its variables know", "10.00 USD", "Your payment went through."],
    ["of an amount that its variables contradict", "9.00 USD", "It was 10.00 USD."],
  ])("A8 names the payment whose message reads %s", async (_, amount, body) => {
    await stand.change("notification.notifications", "p01:succeeded", reads(amount, body));
    expect(broken(await stand.audit())).toEqual({ A8: ["p01"] });
  });

  test("A8 takes a message that reads as it was", async () => {
    const body = "Your payment of 10.00 USD went through.";
    await stand.change("notification.notifications", "p01:succeeded", reads("10.00 USD", body));
    expect((await stand.audit()).ok).toBe(true);
  });

  test("A8 does not miss a message that is older than messages are kept", async () => {
    await (await stand.collection("notification.notifications")).deleteMany({});
    expect((await stand.audit()).ok).toBe(false);
    const env = { SETTLE_URL_GATEWAY: stand.gatewayUrl, SETTLE_RETENTION_MESSAGES: "1d" };
    await using forgetful = await stand.startReporting(env);
    const client = createPeer(ReportingService, `http://${forgetful.address}`);
    const { invariants } = await client.audit({});
    expect(invariants[7]).toMatchObject({ id: "A8", result: InvariantResult.OK });
  });
});

describe("what waits", () => {
  const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);

  test("is told by kind, count and age, and breaks nothing", async () => {
    await stand.change("payment.payments", "p01", {
      $set: {
        status: "PROCESSING",
        final: false,
        finalTime: null,
        phase: { kind: "UNDOING", reason: "CANCELLED" },
        capturedAmount: 0n,
        createTime: minutesAgo(90),
      },
    });
    await stand.change("notification.notifications", "p02:succeeded", {
      $set: { status: "QUEUED", attempts: 7, createTime: minutesAgo(30) },
    });
    const tasks = await stand.collection("payment.tasks");
    const task = (id: string, paymentId: string, kind: string) => ({
      _id: { tenant: "default", id } as never,
      ...{ paymentId, kind, state: "OPEN", detail: "look", createTime: minutesAgo(10) },
    });
    await tasks.insertMany([
      task("p01:STEP_STUCK", "p01", "STEP_STUCK"),
      task("p02:STEP_STUCK", "p02", "STEP_STUCK"),
      task("nobody:SUSPENSE", "nobody", "SUSPENSE"),
      task("p02:SUSPENSE", "p02", "SUSPENSE"),
    ]);
    const { attention } = await stand.audit();
    const seen = Object.fromEntries(
      attention.map(({ kind, count, oldest }) => [
        enumText(AttentionKind, kind),
        [count, ...oldest.map(({ id, detail }) => `${id} ${detail}`)],
      ]),
    );
    expect(seen).toMatchObject({
      UNDOING: [1n, "p01 is PROCESSING"],
      UNDELIVERED_MESSAGE: [
        2n,
        "p11 how it ended is not told",
        "p02:succeeded is QUEUED after 7 attempts",
      ],
      OPEN_TASK: [4n, expect.anything(), expect.anything(), expect.anything(), expect.anything()],
      STALE_TASK: [
        2n,
        "nobody:SUSPENSE SUSPENSE: there is no such payment",
        "p02:STEP_STUCK STEP_STUCK: its payment is PARTIALLY_REFUNDED",
      ],
    });
    expect(seen["OPEN_PAYMENT"]).toContain("p01 is PROCESSING");
    expect(seen["SUSPENSE"]?.[1]).toMatch(/^suspense:USD -?\d+ USD: p02:SUSPENSE$/);
    const undoing = attention.find(({ kind }) => kind === AttentionKind.UNDOING);
    expect(Number(undoing?.oldestAge?.seconds)).toBeGreaterThanOrEqual(90 * 60 - 1);
  });

  test("names a suspense balance that no task speaks of", async () => {
    const { attention } = await stand.audit();
    const suspense = attention.find(({ kind }) => kind === AttentionKind.SUSPENSE);
    expect(suspense?.oldest[0]?.detail).toContain("no task says whose it is");
  });

  test("is named up to twenty of a kind, the oldest of them, and counted to the last", async () => {
    const notifications = await stand.collection("notification.notifications");
    await notifications.insertMany(
      Array.from({ length: 50 }, (_, index) => ({
        ...notice(`queued-${index}`, "", "PAYMENT_SUCCEEDED"),
        status: "QUEUED",
        createTime: minutesAgo((index * 7) % 50),
      })),
      { bypassDocumentValidation: true },
    );
    const { attention } = await stand.audit();
    const messages = attention.find(({ kind }) => kind === AttentionKind.UNDELIVERED_MESSAGE);
    expect([messages?.count, messages?.oldest.length]).toEqual([51n, 20]);
    const times = messages?.oldest.map(({ sinceTime }) => Number(sinceTime?.seconds)) ?? [];
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test("knows the same kinds of tasks that end with their payment as Payment does", () => {
    const kinds = [
      "FRAUD_REVIEW",
      "STEP_STUCK",
      "COMPENSATION_FAILED",
      "SUSPENSE",
      "REFUND_SUSPENSE",
    ];
    expect(kinds.map(isTaskOfOpen)).toEqual(kinds.map(endsWithSubject));
  });
});

describe("StreamAudit", () => {
  test("ends with the answer of Audit", async () => {
    const client = createPeer(ReportingService, stand.reportingUrl);
    let last: StreamAuditResponse["event"] | undefined;
    for await (const { event } of client.streamAudit({})) last = event;
    expect(last?.case).toBe("audit");
    const unary = await stand.audit();
    expect(last?.value).toMatchObject({ ok: true, finalPayments: unary.finalPayments });
  });
});
