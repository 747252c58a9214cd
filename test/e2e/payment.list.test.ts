import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { onBehalfOf } from "#kit/rpc/client.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import type { Stack } from "#test/support/stack.ts";
import {
  Behaviour,
  endOf,
  failure,
  openAccount,
  PaymentStatus,
  pay,
  read,
  startQuickStack,
  usd,
} from "./payment.support.ts";

let stack: Stack;
let accountId: string;
/** Newest first: seven settled, then two declined. */
let paymentIds: string[];
beforeAll(async () => {
  stack = await startQuickStack();
  accountId = await openAccount(stack, 1_000n);
  const created: string[] = [];
  for (let i = 0; i < 9; i += 1) {
    const behaviour = i < 2 ? Behaviour.DECLINE : Behaviour.OK;
    created.push(await pay(stack, accountId, behaviour, { amount: usd(1n) }));
  }
  await pay(stack, await openAccount(stack, 100n));
  await Promise.all(created.map((paymentId) => endOf(stack, paymentId)));
  paymentIds = created.toReversed();
});
afterAll(async () => {
  await using _ = stack;
  await expectBooksBalance(stack);
});

type ListRequest = Parameters<Stack["payment"]["list"]>[0];

async function ids(request: ListRequest): Promise<string[]> {
  const { payments } = await stack.payment.list(request);
  return payments.map(({ paymentId }) => paymentId);
}

describe("List", () => {
  test("answers an account's payments newest first", async () => {
    expect(await ids({ accountId })).toEqual(paymentIds);
    expect(await ids({})).toHaveLength(10);
  });

  test.each([1, 4, 8, 9, 10])("in pages of %i misses none and repeats none", async (pageSize) => {
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await stack.payment.list({ accountId, pageSize, pageToken });
      expect(page.payments.length).toBeLessThanOrEqual(pageSize);
      seen.push(...page.payments.map(({ paymentId }) => paymentId));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(paymentIds);
  });

  test("goes on where it was although newer payments came meanwhile", async () => {
    const first = await stack.payment.list({ accountId, pageSize: 4 });
    const newer = await pay(stack, accountId, Behaviour.OK, { amount: usd(1n) });
    const { nextPageToken: pageToken } = first;
    expect(await ids({ accountId, pageSize: 9, pageToken })).toEqual(paymentIds.slice(4));
    await endOf(stack, newer);
    paymentIds = [newer, ...paymentIds];
  });

  test("answers only payments with the status, and of the account", async () => {
    const failed = { accountId, status: PaymentStatus.FAILED };
    expect(await ids(failed)).toEqual(paymentIds.slice(-2));
    expect(await ids({ ...failed, status: PaymentStatus.SUCCEEDED })).toEqual(
      paymentIds.slice(0, -2),
    );
    expect(await ids({ ...failed, status: PaymentStatus.REFUNDED })).toEqual([]);
    expect(await ids({ accountId: "nobody" })).toEqual([]);
  });

  test("answers only payments accepted from one time on and before another", async () => {
    const [from, to] = await Promise.all(
      [paymentIds[5], paymentIds[2]].map(async (paymentId) => {
        const { createTime } = await read(stack, paymentId ?? "");
        if (createTime === undefined) throw new Error("no create time");
        return createTime;
      }),
    );
    if (from === undefined || to === undefined) throw new Error("no times");
    const between = { accountId, createTimeFrom: from, createTimeTo: to };
    expect(await ids(between)).toEqual(paymentIds.slice(3, 6));
    const future = timestampFromDate(new Date(Date.now() + 60_000));
    expect(await ids({ accountId, createTimeFrom: future })).toEqual([]);
  });

  test("shows another tenant nothing", async () => {
    const { payments } = await stack.payment.list({}, onBehalfOf({ tenant: "other" }));
    expect(payments).toEqual([]);
  });
});

describe("List refuses", () => {
  test("a token of another filter, tenant or list, and one that was made up", async () => {
    const { nextPageToken: pageToken } = await stack.payment.list({ accountId, pageSize: 2 });
    const refused = "InvalidArgument INVALID_PAGE_TOKEN page_token";
    const wrong: ListRequest[] = [
      { pageToken },
      { accountId: "nobody", pageToken },
      { accountId, status: PaymentStatus.FAILED, pageToken },
      { accountId, createTimeTo: timestampFromDate(new Date()), pageToken },
      { accountId, pageToken: "made up" },
      { accountId, pageToken: Buffer.from('["x",{"$gt":""}]').toString("base64url") },
      { accountId, pageToken: pageToken.slice(0, -2) },
    ];
    for (const request of wrong) expect(await failure(stack.payment.list(request))).toBe(refused);
    const other = stack.payment.list({ accountId, pageToken }, onBehalfOf({ tenant: "other" }));
    expect(await failure(other)).toBe(refused);
    // Another page size is the same list.
    expect(await ids({ accountId, pageSize: 1, pageToken })).toEqual(paymentIds.slice(2, 3));
  });

  test.each<[string, ListRequest, string]>([
    ["a negative page size", { pageSize: -1 }, "INVALID_FIELD page_size"],
    ["an odd account id", { accountId: "a b" }, "INVALID_FIELD account_id"],
    [
      "a time no calendar has",
      { createTimeFrom: { seconds: 2n ** 62n } },
      "INVALID_FIELD create_time_from",
    ],
    ["another one", { createTimeTo: { seconds: -(2n ** 62n) } }, "INVALID_FIELD create_time_to"],
  ])("%s, naming the field", async (_, request, expected) => {
    expect(await failure(stack.payment.list(request))).toBe(`InvalidArgument ${expected}`);
  });
});
