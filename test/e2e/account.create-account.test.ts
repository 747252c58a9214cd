import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AccountState } from "#gen/account/v1/account_pb.ts";
import { onBehalfOf } from "#kit/rpc/client.ts";
import { type AccountAlone, failure, startAccount } from "./account.support.ts";

let running: AccountAlone;
beforeAll(async () => {
  running = await startAccount({ SETTLE_SEED_DEMO: "1" });
});
afterAll(() => running[Symbol.asyncDispose]());

const USD = "USD";

describe("CreateAccount", () => {
  test("opens an empty account once, however often the request is sent", async () => {
    const request = {
      requestId: "r-1",
      account: { accountId: "zoe", ownerId: "z", currencyCode: USD },
    };
    const first = await running.account.createAccount(request);
    expect(first.account).toMatchObject({
      accountId: "zoe",
      balance: { currencyCode: USD, minorUnits: 0n },
      state: AccountState.ACTIVE,
    });
    expect(await running.account.createAccount(request)).toEqual(first);
    const other = { ...request, account: { ...request.account, accountId: "zoe-2" } };
    expect(await failure(running.account.createAccount(other))).toBe(
      "AlreadyExists REQUEST_ID_REUSED",
    );
  });

  test("makes an id when none is given, and finds the owner's account again by its owner", async () => {
    const made = await running.account.createAccount({
      account: { ownerId: "yan", currencyCode: USD },
    });
    expect(made.account?.accountId).toMatch(/^[0-9a-f-]{36}$/);
    const { accounts } = await running.account.listAccounts({ ownerId: "yan" });
    expect(accounts.map(({ accountId }) => accountId)).toEqual([made.account?.accountId]);
  });

  test("takes an owner of 128 characters, whatever script they are of, and not of 129", async () => {
    const open = (length: number) => {
      const account = { ownerId: "𠮷".repeat(length), currencyCode: USD };
      return running.account.createAccount({ account });
    };
    expect((await open(128)).account?.ownerId).toBe("𠮷".repeat(128));
    expect(await failure(open(129))).toMatch(/^InvalidArgument INVALID_FIELD/);
  });

  test("refuses a taken id, and a second account of an owner in one currency", async () => {
    await running.account.createAccount({
      account: { accountId: "xi", ownerId: "x", currencyCode: USD },
    });
    for (const account of [
      { accountId: "xi", ownerId: "somebody", currencyCode: "EUR" },
      { accountId: "xi-2", ownerId: "x", currencyCode: USD },
    ]) {
      const call = running.account.createAccount({ account });
      expect(await failure(call)).toBe("AlreadyExists RESOURCE_EXISTS");
    }
    const euros = { accountId: "xi-eur", ownerId: "x", currencyCode: "EUR" };
    await running.account.createAccount({ account: euros });
  });

  test.each([
    ["external:funding:USD", USD, "INVALID_FIELD"],
    ["provider:mock:USD", USD, "INVALID_FIELD"],
    ["suspenseful", USD, "INVALID_FIELD"],
    ["has space", USD, "INVALID_FIELD"],
    ["a".repeat(65), USD, "INVALID_FIELD"],
    ["w", "ABC", "UNSUPPORTED_CURRENCY"],
    ["w", "", "UNSUPPORTED_CURRENCY"],
  ])("refuses account %s in %s", async (accountId, currencyCode, reason) => {
    const call = running.account.createAccount({ account: { accountId, currencyCode } });
    expect(await failure(call)).toBe(`InvalidArgument ${reason}`);
  });

  test("keeps tenants apart: another tenant does not see the account and may use its id", async () => {
    const elsewhere = onBehalfOf({ tenant: "other" });
    const account = { accountId: "vera", ownerId: "v", currencyCode: USD };
    await running.account.createAccount({ account });
    const read = running.account.getAccount({ accountId: "vera" }, elsewhere);
    expect(await failure(read)).toBe("NotFound ACCOUNT_NOT_FOUND");
    await running.account.createAccount({ account }, elsewhere);
    const listed = await running.account.listAccounts({}, elsewhere);
    expect(listed.accounts).toHaveLength(1);
  });
});

describe("ListAccounts", () => {
  test("goes through all accounts page by page, and refuses a token of another list", async () => {
    const ids: string[] = [];
    let pageToken = "";
    do {
      const page = await running.account.listAccounts({ pageSize: 3, pageToken });
      expect(page.accounts.length).toBeLessThanOrEqual(3);
      ids.push(...page.accounts.map(({ accountId }) => accountId));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(ids).toEqual(expect.arrayContaining(["1", "2", "3", "4", "alice-checking", "bob-eur"]));
    const { nextPageToken } = await running.account.listAccounts({ pageSize: 1 });
    const foreign = running.account.listAccounts({ ownerId: "z", pageToken: nextPageToken });
    expect(await failure(foreign)).toBe("InvalidArgument INVALID_PAGE_TOKEN");
  });
});

describe("demo accounts", () => {
  test("are those of the source system, and a restart leaves their balances alone", async () => {
    const amount = { currencyCode: USD, minorUnits: 1n };
    await running.account.debit({ transactionId: "spent", accountId: "1", amount });
    await running.alone.restart();
    const balances = ["1", "2", "3", "4"].map(async (accountId) => {
      const { account } = await running.account.getAccount({ accountId });
      return `${account?.balance?.minorUnits} ${account?.currencyCode}`;
    });
    expect(await Promise.all(balances)).toEqual([
      "999 USD",
      "1000 USD",
      "0 USD",
      "9223372036854775807 XTS",
    ]);
  });

  test("are opened only in an empty ledger", async () => {
    await using other = await startAccount();
    await other.account.createAccount({ account: { accountId: "mine", currencyCode: USD } });
    await other.alone.restart({ SETTLE_SEED_DEMO: "1" });
    const { accounts } = await other.account.listAccounts({});
    expect(accounts.map(({ accountId }) => accountId)).toEqual(["mine"]);
  });
});
