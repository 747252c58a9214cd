import type { HandlerContext } from "@connectrpc/connect";
import { MockActivityEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { createAccountActivities } from "#services/account/activities/index.ts";
import type { AccountActivities, DebitAccountInput } from "#services/account/contract.ts";
import { startStubServer } from "#test/support/stub-server.ts";
import { type AccountAlone, openFunded, startAccount } from "./account.support.ts";

let running: AccountAlone;
let activities: AccountActivities;
beforeAll(async () => {
  // With its worker: it must start, poll and stop beside the port.
  running = await startAccount({ SETTLE_ACCOUNT_WORKER: "1" });
  await openFunded(running.account, "ann", 100n);
  activities = activitiesOf(running.account);
});
afterAll(() => running[Symbol.asyncDispose]());

/** The activities as a worker runs them, with some time for a try. */
function activitiesOf(
  account: AccountAlone["account"],
  environment = new MockActivityEnvironment({ startToCloseTimeoutMs: 5_000 }),
): AccountActivities {
  const bare = createAccountActivities({ account });
  return {
    "account::validate": (input) => environment.run(bare["account::validate"], input),
    "account::debit": (input) => environment.run(bare["account::debit"], input),
    "account::credit": (input) => environment.run(bare["account::credit"], input),
    "account::reverse": (input) => environment.run(bare["account::reverse"], input),
  };
}

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
  const orphan = activitiesOf(stopped.account);
  await stopped[Symbol.asyncDispose]();
  await expect(orphan["account::debit"](hold("p-4:hold", "1"))).rejects.toMatchObject({
    nonRetryable: false,
  });
});

test("a call ends with its try, cancelled or out of time, and its outcome stays open", async () => {
  const called = Promise.withResolvers<void>();
  const granted: (number | undefined)[] = [];
  const placeHold = (_: object, context: HandlerContext): Promise<never> => {
    granted.push(context.timeoutMs());
    called.resolve();
    return new Promise(() => undefined);
  };
  await using server = await startStubServer(
    {},
    {
      services: [AccountService],
      routes: (router) => router.service(AccountService, { placeHold }),
    },
  );
  const account = createPeer(AccountService, `http://${server.address}`);
  const unknown = { type: "UNKNOWN_OUTCOME", nonRetryable: false };

  const long = new MockActivityEnvironment({ startToCloseTimeoutMs: 3_600_000 });
  const cancelled = activitiesOf(account, long)["account::debit"](hold("p-5:hold", "1"));
  await called.promise;
  long.cancel();
  await expect(cancelled).rejects.toMatchObject({ ...unknown, message: "CANCELLED" });

  const short = new MockActivityEnvironment({ startToCloseTimeoutMs: 100 });
  const late = activitiesOf(account, short)["account::debit"](hold("p-6:hold", "1"));
  await expect(late).rejects.toMatchObject(unknown);
  expect(granted.at(-1)).toBeLessThanOrEqual(100);
});
