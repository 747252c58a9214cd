import { afterAll, beforeAll, expect, test } from "vitest";
import { onBehalfOf } from "#kit/rpc/client.ts";
import { freshPrefix } from "#test/support/env.ts";
import {
  dropBook,
  order,
  type RunningGateway,
  reasonOfCall,
  startGateway,
} from "./gateway.support.ts";

const prefix = freshPrefix();
const KEYS = ["A:1", "a-1", "a-10", "a-2", "a.1", "b", "z"];
let gateway: RunningGateway;
beforeAll(async () => {
  gateway = await startGateway(prefix);
  await Promise.all(KEYS.map((key) => gateway.client.authorize(order(key))));
  await gateway.client.authorize(order("foreign"), onBehalfOf({ tenant: "default2" }));
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await dropBook(prefix);
});

test("pages through the whole book in order of the key, each transaction once, no other tenant's", async () => {
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await gateway.client.listTransactions({ pageSize: 3, pageToken });
    expect(page.transactions.length).toBeLessThanOrEqual(3);
    seen.push(...page.transactions.map((transaction) => transaction.authorizationKey));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen).toEqual([...KEYS].sort());
});

test("the last full page has no token, so that nobody asks for an empty one", async () => {
  const page = await gateway.client.listTransactions({ pageSize: KEYS.length });
  expect(page.transactions).toHaveLength(KEYS.length);
  expect(page.nextPageToken).toBe("");
});

test("refuses a token it did not make, and another tenant's", async () => {
  const { client } = gateway;
  const bad = client.listTransactions({ pageToken: "nonsense" });
  expect(await reasonOfCall(bad)).toBe("INVALID_PAGE_TOKEN");
  const { nextPageToken: pageToken } = await client.listTransactions({ pageSize: 1 });
  const foreign = client.listTransactions({ pageToken }, onBehalfOf({ tenant: "default2" }));
  expect(await reasonOfCall(foreign)).toBe("INVALID_PAGE_TOKEN");
});

test("a foreign transaction is not found, and its key is free here", async () => {
  const { client } = gateway;
  const read = client.getTransaction({ authorizationKey: "foreign" });
  expect(await reasonOfCall(read)).toBe("GATEWAY_TRANSACTION_NOT_FOUND");
  const inOther = onBehalfOf({ tenant: "default2" });
  const { transaction } = await client.getTransaction({ authorizationKey: "foreign" }, inOther);
  expect(transaction?.merchantReference).toBe("payment-of-foreign");
});
