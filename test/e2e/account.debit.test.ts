import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TransferState } from "#gen/account/v1/account_pb.ts";
import { type AccountAlone, failure, openFunded, startAccount, usd } from "./account.support.ts";

let running: AccountAlone;
beforeAll(async () => {
  running = await startAccount({ SETTLE_SEED_DEMO: "1" });
});
afterAll(() => running[Symbol.asyncDispose]());

async function balanceOf(accountId: string): Promise<bigint | undefined> {
  const { account } = await running.account.getAccount({ accountId });
  return account?.balance?.minorUnits;
}

describe("Debit and Credit", () => {
  test("move money between the account and funding, and the books stay balanced", async () => {
    await openFunded(running.account, "ann", 500n);
    const before = (await balanceOf("external:funding:USD")) ?? 0n;
    const request = {
      transactionId: "d-1",
      accountId: "ann",
      amount: usd(120n),
      reference: "rent",
    };
    const answer = await running.account.debit(request);
    expect(answer).toMatchObject({
      balance: usd(380n),
      transfer: {
        sourceAccountId: "ann",
        destinationAccountId: "external:funding:USD",
        reference: "rent",
        state: TransferState.POSTED,
      },
    });
    expect(await balanceOf("external:funding:USD")).toBe(before + 120n);
  });

  test("answer a repeat with the first answer, balance included, whatever happened since", async () => {
    await openFunded(running.account, "ben", 500n);
    const request = { transactionId: "d-2", accountId: "ben", amount: usd(100n) };
    const first = await running.account.debit(request);
    await running.account.credit({ transactionId: "c-2", accountId: "ben", amount: usd(7n) });
    await running.account.reverse({ transactionId: "d-2" });
    expect(await running.account.debit(request)).toEqual(first);
    expect(await running.account.debit({ ...request, reference: "other words" })).toEqual(first);
    expect(await balanceOf("ben")).toBe(507n);
  });

  test.each([
    ["another amount", { amount: usd(2n) }],
    ["another account", { accountId: "2" }],
    ["another counter-account", { counterAccountId: "provider:mock:USD" }],
  ])("refuse a known id with %s", async (name, changes) => {
    const request = {
      transactionId: `reuse-${name.replaceAll(" ", "-")}`,
      accountId: "1",
      amount: usd(1n),
    };
    await running.account.debit(request);
    const call = running.account.debit({ ...request, ...changes });
    expect(await failure(call)).toBe("AlreadyExists TRANSACTION_ID_REUSED");
  });

  test("refuse a credit under the id of a debit, though the legs could be the same", async () => {
    await running.account.debit({ transactionId: "kind", accountId: "1", amount: usd(1n) });
    const call = running.account.credit({ transactionId: "kind", accountId: "1", amount: usd(1n) });
    expect(await failure(call)).toBe("AlreadyExists TRANSACTION_ID_REUSED");
  });

  test.each([
    ["too much", { amount: usd(10n ** 15n) }, "FailedPrecondition INSUFFICIENT_FUNDS"],
    ["a missing account", { accountId: "nobody" }, "NotFound ACCOUNT_NOT_FOUND"],
    ["a missing counter", { counterAccountId: "ghost" }, "NotFound ACCOUNT_NOT_FOUND"],
    ["a wrong system name", { counterAccountId: "provider:USD" }, "NotFound ACCOUNT_NOT_FOUND"],
    [
      "another currency",
      { amount: { currencyCode: "EUR", minorUnits: 1n } },
      "InvalidArgument CURRENCY_MISMATCH",
    ],
  ])("decline %s, and the decline can be read", async (name, changes, expected) => {
    const transactionId = `decline-${name.replaceAll(" ", "-")}`;
    const request = { transactionId, accountId: "2", amount: usd(1n), ...changes };
    expect(await failure(running.account.debit(request))).toBe(expected);
    expect(await failure(running.account.debit(request))).toBe(expected);
    const { transfer } = await running.account.getTransaction({ transactionId });
    expect(transfer?.state).toBe(TransferState.DECLINED);
    expect(expected).toContain(transfer?.reason);
  });

  test.each([
    ["no amount", {}, "INVALID_FIELD"],
    ["zero", { amount: usd(0n) }, "INVALID_AMOUNT"],
    ["a negative amount, which would be theft by credit", { amount: usd(-1n) }, "INVALID_AMOUNT"],
    ["more than 10^15", { amount: usd(10n ** 15n + 1n) }, "INVALID_AMOUNT"],
    ["2^63−1", { amount: usd(2n ** 63n - 1n) }, "INVALID_AMOUNT"],
    ["no currency", { amount: { currencyCode: "", minorUnits: 1n } }, "UNSUPPORTED_CURRENCY"],
    [
      "an unknown currency",
      { amount: { currencyCode: "ZZZ", minorUnits: 1n } },
      "UNSUPPORTED_CURRENCY",
    ],
    ["itself as counter", { amount: usd(1n), counterAccountId: "1" }, "INVALID_FIELD"],
  ])("refuse %s before anything is stored", async (name, changes, reason) => {
    const transactionId = `bad-${name.replaceAll(/[^a-z]/g, "-")}`;
    for (const method of ["debit", "credit"] as const) {
      const call = running.account[method]({ transactionId, accountId: "1", ...changes });
      expect(await failure(call)).toBe(`InvalidArgument ${reason}`);
    }
    const read = running.account.getTransaction({ transactionId });
    expect(await failure(read)).toBe("NotFound TRANSACTION_NOT_FOUND");
  });

  test("refuse to credit an account that is full, instead of wrapping", async () => {
    const amount = { currencyCode: "XTS", minorUnits: 1n };
    const call = () => running.account.credit({ transactionId: "over", accountId: "4", amount });
    expect(await failure(call())).toBe("FailedPrecondition BALANCE_OVERFLOW");
    const { balance } = await running.account.debit({
      transactionId: "less",
      accountId: "4",
      amount,
    });
    expect(balance?.minorUnits).toBe(2n ** 63n - 2n);
    expect(await failure(call())).toBe("FailedPrecondition BALANCE_OVERFLOW");
  });
});

describe("Reverse", () => {
  test("undoes a debit once, however often it is asked", async () => {
    await openFunded(running.account, "cat", 100n);
    await running.account.debit({ transactionId: "r-1", accountId: "cat", amount: usd(30n) });
    const first = await running.account.reverse({ transactionId: "r-1", reason: "mistake" });
    expect(first).toMatchObject({
      transfer: { state: TransferState.REVERSED },
      reversal: { transactionId: "r-1:reversal", reverses: "r-1", amount: usd(30n) },
    });
    expect(await running.account.reverse({ transactionId: "r-1" })).toEqual(first);
    expect(await balanceOf("cat")).toBe(100n);
    const { transfer } = await running.account.getTransaction({ transactionId: "r-1" });
    expect(transfer?.state).toBe(TransferState.REVERSED);
  });

  test("of an id that was never seen makes the late debit refuse", async () => {
    const { transfer, reversal } = await running.account.reverse({ transactionId: "late" });
    expect(transfer?.state).toBe(TransferState.TOMBSTONED);
    expect(reversal).toBeUndefined();
    const late = running.account.debit({ transactionId: "late", accountId: "1", amount: usd(1n) });
    expect(await failure(late)).toBe("FailedPrecondition TRANSACTION_REVERSED");
  });

  test("cannot take back what the receiver has spent, and stays declined", async () => {
    await openFunded(running.account, "dan", 10n);
    await running.account.debit({ transactionId: "spend", accountId: "dan", amount: usd(10n) });
    const call = () => running.account.reverse({ transactionId: "fund-dan" });
    expect(await failure(call())).toBe("FailedPrecondition INSUFFICIENT_FUNDS");
    await running.account.credit({ transactionId: "again", accountId: "dan", amount: usd(10n) });
    expect(await failure(call())).toBe("FailedPrecondition INSUFFICIENT_FUNDS");
  });

  test("leaves no room for a caller to stand in a reversal's way", async () => {
    const transactionId = "r-1:reversal";
    const squat = running.account.debit({ transactionId, accountId: "1", amount: usd(1n) });
    expect(await failure(squat)).toBe("InvalidArgument INVALID_FIELD");
    expect(await failure(running.account.reverse({ transactionId }))).toBe(
      "InvalidArgument INVALID_FIELD",
    );
    const long = "x".repeat(128);
    await running.account.debit({ transactionId: long, accountId: "1", amount: usd(1n) });
    const { reversal } = await running.account.reverse({ transactionId: long });
    const read = { transactionId: reversal?.transactionId ?? "" };
    expect((await running.account.getTransaction(read)).transfer?.reverses).toBe(long);
  });
});
