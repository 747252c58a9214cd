import { describe, expect, test } from "vitest";
import { collectFindings, violationsOf } from "#services/reporting/domain/invariants.ts";
import { judgeAccount } from "#services/reporting/domain/judge-accounts.ts";
import { judgeGateway } from "#services/reporting/domain/judge-gateway.ts";
import { judgeLedger } from "#services/reporting/domain/judge-ledger.ts";
import { judgeEnd, judgeRefunds } from "#services/reporting/domain/judge-payment.ts";
import { holdBook, paymentCase, transaction, transferBook, transfersOf } from "../builders.ts";

const NOW = new Date("2026-01-01T00:00:00Z");
const details = (violations: readonly { readonly detail: string }[]) =>
  violations.map(({ detail }) => detail).join();

test("a payment that settled without trouble breaks nothing", () => {
  const books = paymentCase();
  const found = [judgeEnd, judgeLedger, judgeRefunds].flatMap((judge) => judge(books));
  expect([...found, ...judgeGateway(books, transaction(), NOW)]).toEqual([]);
});

describe("A6", () => {
  const suspense = transferBook({ transactionId: "p1:suspense", sourceAccountId: "suspense:USD" });

  test("takes a posting from suspense for a capture, because the hold was gone by then", () => {
    const hold = holdBook({ state: "RELEASED", capturedAmount: 0n });
    expect(judgeLedger(paymentCase({}, { hold, transfers: transfersOf(suspense) }))).toEqual([]);
  });

  test("finds a payment that was taken from the hold and from suspense, which is twice", () => {
    const transfers = transfersOf(transferBook(), suspense);
    expect(details(judgeLedger(paymentCase({}, { transfers })))).toContain("captured twice");
  });

  test("wants the refund of a payment that suspense paid back in suspense", () => {
    const hold = holdBook({ state: "RELEASED", capturedAmount: 0n });
    const refunds = [
      {
        refundId: "r1",
        amount: 100n,
        currencyCode: "USD",
        status: "SUCCEEDED",
        notifyPending: false,
        updateTime: undefined,
      },
    ];
    const back = (transactionId: string, destinationAccountId: string) =>
      transferBook({ transactionId, sourceAccountId: "provider:mock:USD", destinationAccountId });
    const judge = (refund: ReturnType<typeof back>) =>
      details(
        judgeLedger(paymentCase({}, { hold, refunds, transfers: transfersOf(suspense, refund) })),
      );
    expect(judge(back("r1:refund:suspense", "suspense:USD"))).toBe("");
    expect(judge(back("r1:refund", "alice"))).toContain("went to the payer, but suspense had paid");
  });

  test("takes a payment that was undone after its capture, when the posting was reversed", () => {
    const undone = { status: "CANCELLED", capturedAmount: 0n } as const;
    const judge = (...transfers: ReturnType<typeof transferBook>[]) =>
      judgeLedger(paymentCase(undone, { hold: holdBook(), transfers: transfersOf(...transfers) }));
    const reversal = transferBook({ transactionId: "p1:capture:reversal" });
    expect(judge(transferBook(), reversal)).toEqual([]);
    expect(details(judge())).toContain("its hold is CAPTURED");
    expect(judge(transferBook())).not.toEqual([]);
  });

  test("a reversed posting has no effect: a settled payment lacks it, an undone one may have it", () => {
    const reversal = transferBook({ transactionId: "p1:capture:reversal" });
    const parts = { transfers: transfersOf(transferBook(), reversal), hold: undefined };
    expect(judgeLedger(paymentCase({}, parts))).toHaveLength(1);
    expect(judgeLedger(paymentCase({ status: "FAILED" }, parts))).toEqual([]);
  });

  test.each([
    ["pays another account's money", transferBook({ sourceAccountId: "bob" })],
    ["pays to no provider", transferBook({ destinationAccountId: "bob" })],
    ["moves one cent less", transferBook({ amount: 99n })],
    ["moves another currency", transferBook({ currencyCode: "EUR" })],
    ["was declined", transferBook({ state: "DECLINED" })],
  ])("finds a posting that %s", (_, transfer) => {
    expect(judgeLedger(paymentCase({}, { transfers: transfersOf(transfer) }))).toHaveLength(1);
  });

  test("finds a failed refund that was posted and leaves an open one alone", () => {
    const back = { sourceAccountId: "provider:mock:USD", destinationAccountId: "alice" };
    const posted = transferBook({ ...back, transactionId: "r1:refund" });
    const judge = (status: string) => {
      const refund = {
        refundId: "r1",
        amount: 100n,
        currencyCode: "USD",
        status,
        notifyPending: false,
        updateTime: undefined,
      };
      return judgeLedger(
        paymentCase({}, { refunds: [refund], transfers: transfersOf(transferBook(), posted) }),
      );
    };
    expect(judge("FAILED")).toHaveLength(1);
    expect(judge("PENDING")).toEqual([]);
    expect(judge("SUCCEEDED")).toEqual([]);
  });
});

describe("A7", () => {
  test("allows the provider to be ahead by what is reserved for refunds, and by no cent more", () => {
    const books = paymentCase({ reservedAmount: 30n });
    expect(judgeGateway(books, transaction({ refundedAmount: 30n }), NOW)).toEqual([]);
    expect(judgeGateway(books, transaction({ refundedAmount: 31n }), NOW)).toHaveLength(1);
  });

  test.each([
    ["never came there", undefined],
    ["was voided", transaction({ state: "VOIDED", capturedAmount: 0n })],
    ["was declined", transaction({ state: "DECLINED", capturedAmount: 0n })],
    ["was given back late", transaction({ refundedAmount: 100n })],
  ])("is content with an undone payment that %s", (_, book) => {
    expect(judgeGateway(paymentCase({ status: "FAILED" }), book, NOW)).toEqual([]);
  });

  test.each(["PENDING", "AUTHORIZED", "CAPTURED"])(
    "finds an undone payment that is %s there",
    (state) => {
      expect(
        judgeGateway(paymentCase({ status: "CANCELLED" }), transaction({ state }), NOW),
      ).toHaveLength(1);
    },
  );

  test("waits for the reconcile of a stored callback", () => {
    const books = paymentCase({ status: "CANCELLED" }, { callbackOpen: true });
    expect(judgeGateway(books, transaction(), NOW)).toEqual([]);
  });
});

describe("accounts", () => {
  const account = { currencyCode: "USD", balance: 10n, held: 4n, kind: "CUSTOMER" };
  const sound = {
    accountId: "a",
    account,
    postings: [{ currencyCode: "USD", total: 10n }],
    held: 4n,
  };

  test("a system account may be negative, a customer may not, holds counted", () => {
    const poor = { ...account, held: 11n };
    expect(judgeAccount({ ...sound, account: poor, held: 11n })).toMatchObject([
      { invariant: "A3" },
    ]);
    expect(judgeAccount({ ...sound, account: { ...poor, kind: "SYSTEM" }, held: 11n })).toEqual([]);
    expect(judgeAccount(sound)).toEqual([]);
  });

  test("postings of another currency are found, even when they sum to 0 over all", () => {
    const postings = [...sound.postings, { currencyCode: "EUR", total: 0n }];
    expect(judgeAccount({ ...sound, postings })).toMatchObject([{ invariant: "A1", id: "a" }]);
  });
});

test("all violations are counted, and a hundred named, so that a broken book does not fill the memory", () => {
  const findings = collectFindings();
  for (let i = 0; i < 250; i += 1) findings.broken(violationsOf("A6", `p${i}`, ["one", "two"]));
  const a6 = findings.summary()[5];
  expect(a6).toMatchObject({ id: "A6", result: "BROKEN", violationCount: 250n });
  expect(a6?.violations).toHaveLength(100);
  expect(a6?.violations[0]?.detail).toBe("one; two");
});
