import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccountActivities } from "#services/account/activities/index.ts";
import type { AccountActivities, DebitAccountInput } from "#services/account/contract.ts";
import { type AccountAlone, openFunded, startAccount } from "./account.support.ts";

let running: AccountAlone;
let activities: AccountActivities;
beforeAll(async () => {
  // With its worker: it must start, poll and stop beside the port.
  running = await startAccount({ SETTLE_ACCOUNT_WORKER: "1" });
  await openFunded(running.account, "ann", 100n);
  activities = createAccountActivities({ account: running.account });
});
afterAll(() => running[Symbol.asyncDispose]());

const amount = (minorUnits: string) => ({ currencyCode: "USD", minorUnits });
const hold = (holdId: string, minorUnits: string): DebitAccountInput => ({
  tenant: "default",
  holdId,
  accountId: "ann",
  destinationAccountId: "provider:mock:USD",
  amount: amount(minorUnits),
  reference: "payment p",
});

describe("account::debit", () => {
  test("holds once and says so again when the task is lost and run again", async () => {
    for (let run = 0; run < 2; run += 1) {
      expect(await activities["account::debit"](hold("p-1:hold", "40"))).toEqual({
        outcome: "HELD",
      });
    }
    const { account } = await running.account.getAccount({ accountId: "ann" });
    expect(account?.held?.minorUnits).toBe(40n);
  });

  test("answers a stored decline as a result, so that the saga ends instead of retrying", async () => {
    const declined = await activities["account::debit"](hold("p-2:hold", "1000"));
    expect(declined).toMatchObject({ outcome: "DECLINED", reason: "INSUFFICIENT_FUNDS" });
    await running.account.credit({
      transactionId: "more",
      accountId: "ann",
      amount: { currencyCode: "USD", minorUnits: 2_000n },
    });
    expect(await activities["account::debit"](hold("p-2:hold", "1000"))).toEqual(declined);
  });
});

describe("account::credit", () => {
  test("releases, also what was never placed, and tells when the money has gone", async () => {
    const tenant = "default";
    const release = (holdId: string) => activities["account::credit"]({ tenant, holdId });
    expect(await release("p-1:hold")).toEqual({ outcome: "RELEASED" });
    expect(await release("p-never:hold")).toEqual({ outcome: "RELEASED" });
    const late = await activities["account::debit"](hold("p-never:hold", "1"));
    expect(late).toMatchObject({ outcome: "DECLINED", reason: "TRANSACTION_REVERSED" });
    await activities["account::debit"](hold("p-3:hold", "5"));
    await running.account.captureHold({ holdId: "p-3:hold", transactionId: "p-3:capture" });
    expect(await release("p-3:hold")).toEqual({ outcome: "ALREADY_CAPTURED" });
  });
});

test("account::validate advises", async () => {
  const input = { tenant: "default", accountId: "nobody", amount: amount("1") };
  expect(await activities["account::validate"](input)).toEqual({
    valid: false,
    reason: "ACCOUNT_NOT_FOUND",
  });
});

test("an outcome nobody knows is thrown as retryable, never as a decline", async () => {
  const stopped = await startAccount();
  const orphan = createAccountActivities({ account: stopped.account });
  await stopped[Symbol.asyncDispose]();
  await expect(orphan["account::debit"](hold("p-4:hold", "1"))).rejects.toMatchObject({
    nonRetryable: false,
  });
});
