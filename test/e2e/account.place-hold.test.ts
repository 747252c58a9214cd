import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EntryDirection, HoldState } from "#gen/account/v1/account_pb.ts";
import { metadataOf } from "#kit/rpc/errors.ts";
import { type AccountAlone, failure, openFunded, startAccount, usd } from "./account.support.ts";

const PROVIDER = "provider:mock:USD";
let running: AccountAlone;
beforeAll(async () => {
  running = await startAccount();
  await openFunded(running.account, "ann", 1_000n);
});
afterAll(() => running[Symbol.asyncDispose]());

const place = (holdId: string, minorUnits: bigint, accountId = "ann") =>
  running.account.placeHold({
    holdId,
    accountId,
    destinationAccountId: PROVIDER,
    amount: usd(minorUnits),
  });

async function amounts(accountId = "ann") {
  const { account } = await running.account.getAccount({ accountId });
  return [account?.balance, account?.held, account?.available].map((money) => money?.minorUnits);
}

describe("holds", () => {
  test("set aside, capture in part and free the rest; each repeat answers the same", async () => {
    const placed = await place("h-1", 300n);
    expect(placed.hold).toMatchObject({ state: HoldState.HELD, amount: usd(300n) });
    expect(await place("h-1", 300n)).toEqual(placed);
    expect(await amounts()).toEqual([1_000n, 300n, 700n]);
    const request = { holdId: "h-1", transactionId: "h-1:capture", amount: usd(200n) };
    const captured = await running.account.captureHold(request);
    expect(captured).toMatchObject({
      hold: { state: HoldState.CAPTURED, capturedAmount: usd(200n), transactionId: "h-1:capture" },
      transfer: { holdId: "h-1", destinationAccountId: PROVIDER, amount: usd(200n) },
    });
    expect(await running.account.captureHold(request)).toEqual(captured);
    expect(await amounts()).toEqual([800n, 0n, 800n]);
    const again = running.account.captureHold({ holdId: "h-1", transactionId: "second" });
    expect(await failure(again)).toBe("FailedPrecondition HOLD_ALREADY_RESOLVED");
    const other = running.account.captureHold({ ...request, amount: usd(201n) });
    expect(await failure(other)).toBe("AlreadyExists TRANSACTION_ID_REUSED");
  });

  test("are not released after the capture, and the refusal names the state", async () => {
    await place("h-2", 10n);
    await running.account.captureHold({ holdId: "h-2", transactionId: "h-2:capture" });
    const error = await running.account.releaseHold({ holdId: "h-2" }).catch((caught) => caught);
    expect(metadataOf(error)).toMatchObject({ state: "CAPTURED" });
  });

  test("are given back once, and the capture that comes later is refused", async () => {
    const before = await amounts();
    await place("h-3", 50n);
    for (let times = 0; times < 2; times += 1) {
      const { hold } = await running.account.releaseHold({ holdId: "h-3" });
      expect(hold?.state).toBe(HoldState.RELEASED);
    }
    expect(await amounts()).toEqual(before);
    const late = running.account.captureHold({ holdId: "h-3", transactionId: "h-3:capture" });
    expect(await failure(late)).toBe("FailedPrecondition HOLD_ALREADY_RESOLVED");
  });

  test("released before they were placed can never be placed", async () => {
    const { hold } = await running.account.releaseHold({ holdId: "h-4" });
    expect(hold?.state).toBe(HoldState.TOMBSTONED);
    expect(await failure(place("h-4", 1n))).toBe("FailedPrecondition TRANSACTION_REVERSED");
    const read = await running.account.getHold({ holdId: "h-4" });
    expect(read.hold?.state).toBe(HoldState.TOMBSTONED);
  });

  test("that were declined stay declined, and releasing them frees nothing", async () => {
    await openFunded(running.account, "bob", 10n);
    expect(await failure(place("h-5", 11n, "bob"))).toBe("FailedPrecondition INSUFFICIENT_FUNDS");
    await running.account.credit({ transactionId: "more", accountId: "bob", amount: usd(90n) });
    expect(await failure(place("h-5", 11n, "bob"))).toBe("FailedPrecondition INSUFFICIENT_FUNDS");
    const { hold } = await running.account.releaseHold({ holdId: "h-5" });
    expect(hold).toMatchObject({ state: HoldState.DECLINED, reason: "INSUFFICIENT_FUNDS" });
    expect(await amounts("bob")).toEqual([100n, 0n, 100n]);
  });

  test("cannot be captured for more than they hold, nor when nobody placed them", async () => {
    await place("h-6", 5n);
    const more = { holdId: "h-6", transactionId: "h-6:more", amount: usd(6n) };
    expect(await failure(running.account.captureHold(more))).toBe(
      "FailedPrecondition AMOUNT_EXCEEDS_HOLD",
    );
    const none = { holdId: "h-none", transactionId: "h-none:capture" };
    expect(await failure(running.account.captureHold(none))).toBe("NotFound HOLD_NOT_FOUND");
    await running.account.captureHold({ holdId: "h-6", transactionId: "h-6:capture" });
  });

  test("are refused on system accounts, which have no floor to hold against", async () => {
    expect(await failure(place("h-7", 1n, "suspense:USD"))).toBe("InvalidArgument INVALID_FIELD");
    expect(await failure(running.account.getHold({ holdId: "h-7" }))).toBe(
      "NotFound HOLD_NOT_FOUND",
    );
  });
});

describe("FreezeAccount", () => {
  test("stops new debits and holds, lets captures, releases and credits through, and ends", async () => {
    await openFunded(running.account, "eve", 100n);
    await place("f-1", 10n, "eve");
    await place("f-2", 10n, "eve");
    const freeze = { requestId: "freeze-eve", accountId: "eve", reason: "court order" };
    const frozen = await running.account.freezeAccount(freeze);
    const debit = (transactionId: string) =>
      running.account.debit({ transactionId, accountId: "eve", amount: usd(1n) });
    expect(await failure(debit("f-d"))).toBe("FailedPrecondition ACCOUNT_FROZEN");
    expect(await failure(place("f-3", 1n, "eve"))).toBe("FailedPrecondition ACCOUNT_FROZEN");
    const advice = await running.account.validate({ accountId: "eve", amount: usd(1n) });
    expect(advice).toMatchObject({ valid: false, reason: "ACCOUNT_FROZEN" });
    await running.account.captureHold({ holdId: "f-1", transactionId: "f-1:capture" });
    await running.account.releaseHold({ holdId: "f-2" });
    await running.account.credit({ transactionId: "f-c", accountId: "eve", amount: usd(5n) });
    expect(await running.account.freezeAccount(freeze)).toEqual(frozen);
    await running.account.unfreezeAccount({ requestId: "unfreeze-eve", accountId: "eve" });
    expect(await failure(debit("f-d"))).toBe("FailedPrecondition ACCOUNT_FROZEN");
    await debit("f-e");
    expect(await amounts("eve")).toEqual([94n, 0n, 94n]);
  });

  test("refuses what is no customer account", async () => {
    const missing = running.account.freezeAccount({ accountId: "nobody" });
    expect(await failure(missing)).toBe("NotFound ACCOUNT_NOT_FOUND");
    const system = running.account.freezeAccount({ accountId: "external:funding:USD" });
    expect(await failure(system)).toBe("InvalidArgument INVALID_FIELD");
  });
});

describe("Validate", () => {
  test.each([
    ["ann", usd(1n), ""],
    ["ann", usd(10n ** 15n), "INSUFFICIENT_FUNDS"],
    ["nobody", usd(1n), "ACCOUNT_NOT_FOUND"],
    ["ann", { currencyCode: "EUR", minorUnits: 1n }, "CURRENCY_MISMATCH"],
  ])("advises on %s", async (accountId, amount, reason) => {
    const advice = await running.account.validate({ accountId, amount });
    expect(advice).toMatchObject({ valid: reason === "", reason });
  });
});

describe("ListEntries", () => {
  test("shows both sides of a posting, newest first, page by page", async () => {
    await openFunded(running.account, "fay", 100n);
    for (const id of ["e-1", "e-2", "e-3"]) {
      const counterAccountId = "ann";
      const transactionId = id;
      await running.account.debit({
        transactionId,
        accountId: "fay",
        counterAccountId,
        amount: usd(10n),
      });
    }
    const first = await running.account.listEntries({ accountId: "fay", pageSize: 3 });
    expect(first.entries.map(({ transactionId }) => transactionId)).toEqual(["e-3", "e-2", "e-1"]);
    expect(first.entries[0]).toMatchObject({
      direction: EntryDirection.DEBIT,
      counterAccountId: "ann",
      balanceAfter: usd(70n),
    });
    const rest = { accountId: "fay", pageSize: 3, pageToken: first.nextPageToken };
    const last = await running.account.listEntries(rest);
    expect(last.entries.map(({ transactionId }) => transactionId)).toEqual(["fund-fay"]);
    expect(last.nextPageToken).toBe("");
    const other = await running.account.listEntries({ accountId: "ann", pageSize: 1 });
    expect(other.entries[0]).toMatchObject({
      transactionId: "e-3",
      direction: EntryDirection.CREDIT,
    });
    const funding = { accountId: "external:funding:USD", pageSize: 1 };
    const [system] = (await running.account.listEntries(funding)).entries;
    expect(system?.balanceAfter).toBeUndefined();
  });

  test("refuses a missing account and a forged token", async () => {
    const missing = running.account.listEntries({ accountId: "nobody" });
    expect(await failure(missing)).toBe("NotFound ACCOUNT_NOT_FOUND");
    const forged = running.account.listEntries({ accountId: "fay", pageToken: "WzFd" });
    expect(await failure(forged)).toBe("InvalidArgument INVALID_PAGE_TOKEN");
  });
});
