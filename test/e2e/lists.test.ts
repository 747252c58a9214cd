import { readFileSync } from "node:fs";
import path from "node:path";
import type { Db } from "mongodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Role } from "#gen/common/v1/access_pb.ts";
import { WaitUntil } from "#gen/payment/v1/payment_pb.ts";
import { KEY_LIST } from "#kit/auth/keys.ts";
import type { ServiceName } from "#kit/config.ts";
import type { ListSpec } from "#kit/list/spec.ts";
import { ACCOUNT_LIST, ENTRY_LIST } from "#services/account/application/lists.ts";
import { CHECK_LIST } from "#services/fraud/application/lists.ts";
import { TRANSACTION_LIST } from "#services/gateway/application/lists.ts";
import {
  DELIVERY_LIST,
  ENDPOINT_LIST,
  NOTIFICATION_LIST,
} from "#services/notification/application/lists.ts";
import { PAYMENT_LIST, REFUND_LIST, TASK_LIST } from "#services/payment/application/lists.ts";
import { openTask } from "#services/payment/store/tasks.ts";
import { refusalOf } from "#test/support/refusal-of.ts";
import { type Stack, startStack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";

const ROWS = 5;
const amount = { currencyCode: "USD", minorUnits: 500n };

interface Asked {
  readonly filter?: string;
  readonly orderBy?: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
}
interface List {
  readonly name: string;
  readonly service: ServiceName;
  readonly collection: string;
  readonly spec: ListSpec;
  /** Ids of the page, in order, and the next page's token. */
  readonly ask: (request: Asked) => Promise<readonly [readonly string[], string]>;
}

let stack: Stack;
let paymentId = "";

const LISTS: readonly List[] = [
  {
    ...{ name: "ListAccounts", service: "account", collection: "accounts", spec: ACCOUNT_LIST },
    ask: async (request) => {
      const page = await stack.account.listAccounts(request);
      return [page.accounts.map(({ accountId }) => accountId), page.nextPageToken];
    },
  },
  {
    ...{ name: "ListEntries", service: "account", collection: "transfers", spec: ENTRY_LIST },
    ask: async (request) => {
      const page = await stack.account.listEntries({ accountId: "lists", ...request });
      return [page.entries.map(({ transactionId }) => transactionId), page.nextPageToken];
    },
  },
  {
    ...{ name: "ListChecks", service: "fraud", collection: "checks", spec: CHECK_LIST },
    ask: async (request) => {
      const page = await stack.fraud.listChecks(request);
      return [page.checks.map(({ checkId }) => checkId), page.nextPageToken];
    },
  },
  {
    ...{
      name: "ListTransactions",
      service: "gateway",
      collection: "transactions",
      spec: TRANSACTION_LIST,
    },
    ask: async (request) => {
      const page = await stack.gateway.listTransactions(request);
      return [page.transactions.map((found) => found.authorizationKey), page.nextPageToken];
    },
  },
  {
    ...{
      name: "notification List",
      service: "notification",
      collection: "notifications",
      spec: NOTIFICATION_LIST,
    },
    ask: async (request) => {
      const page = await stack.notification.list(request);
      return [page.notifications.map((found) => found.notificationId), page.nextPageToken];
    },
  },
  {
    ...{
      name: "ListEndpoints",
      service: "notification",
      collection: "webhook_endpoints",
      spec: ENDPOINT_LIST,
    },
    ask: async (request) => {
      const page = await stack.webhooks.listEndpoints(request);
      return [page.endpoints.map(({ endpointId }) => endpointId), page.nextPageToken];
    },
  },
  {
    ...{
      name: "ListDeliveries",
      service: "notification",
      collection: "webhook_deliveries",
      spec: DELIVERY_LIST,
    },
    ask: async (request) => {
      const page = await stack.webhooks.listDeliveries(request);
      return [page.deliveries.map(({ deliveryId }) => deliveryId), page.nextPageToken];
    },
  },
  {
    ...{ name: "ListKeys", service: "edge", collection: "keys", spec: KEY_LIST },
    ask: async (request) => {
      const page = await stack.keys.listKeys(request);
      return [page.keys.map(({ keyId }) => keyId), page.nextPageToken];
    },
  },
  {
    ...{ name: "payment List", service: "payment", collection: "payments", spec: PAYMENT_LIST },
    ask: async (request) => {
      const page = await stack.payment.list(request);
      return [page.payments.map((found) => found.paymentId), page.nextPageToken];
    },
  },
  {
    ...{ name: "ListRefunds", service: "payment", collection: "refunds", spec: REFUND_LIST },
    ask: async (request) => {
      const page = await stack.payment.listRefunds({ paymentId, ...request });
      return [page.refunds.map((found) => found.refundId), page.nextPageToken];
    },
  },
  {
    ...{ name: "ListTasks", service: "payment", collection: "tasks", spec: TASK_LIST },
    ask: async (request) => {
      const page = await stack.payment.listTasks(request);
      return [page.tasks.map(({ taskId }) => taskId), page.nextPageToken];
    },
  },
];

beforeAll(async () => {
  stack = await startStack();
  await stack.account.createAccount({
    account: { accountId: "lists", currencyCode: "USD", ownerId: "o" },
  });
  await stack.account.credit({
    transactionId: "fund",
    accountId: "lists",
    amount: { ...amount, minorUnits: 10_000n },
  });
  for (let row = 0; row < ROWS; row += 1) {
    await stack.webhooks.createEndpoint({ url: `https://receiver.invalid/${row}` });
    await stack.keys.createKey({ subject: `till-${row}`, roles: [Role.MERCHANT] });
  }
  for (let row = 0; row < ROWS; row += 1) {
    const orderId = row === 0 ? "order-1" : "";
    const body = { accountId: "lists", amount, orderId, waitUntil: WaitUntil.COMPLETED };
    paymentId = (await stack.payment.create(body)).payment?.paymentId ?? "";
  }
  for (let row = 0; row < ROWS; row += 1) {
    await stack.payment.refund({ paymentId, amount: { ...amount, minorUnits: 1n } });
  }
  const payments = await stack.platform.database("payment");
  for (let row = 0; row < ROWS; row += 1) {
    const cause = { paymentId: `stuck-${row}`, kind: "STEP_STUCK", detail: "stuck" };
    await openTask(payments, { tenant: "default" }, cause);
  }
  await stack.notification.send({ notificationId: "a", recipient: "a@example.com", template: 1 });
  await waitUntil(async () => ((await undelivered()) === 2 * ROWS * ROWS ? true : undefined), {
    what: "a delivery of every event to every endpoint",
  });
});

async function undelivered(): Promise<number> {
  return (await stack.webhooks.listDeliveries({ pageSize: 1_000 })).deliveries.length;
}

afterAll(() => stack[Symbol.asyncDispose]());

describe.each(LISTS)("$name", ({ ask, spec, service, collection }) => {
  const orders = Object.entries(spec.orders);

  test.each(orders)(
    "by %s, pages of two joined are the whole list, both ways",
    async (order, { descending }) => {
      const all = await pages(ask, { orderBy: order, pageSize: 1_000 });
      expect(all.length).toBeGreaterThan(1);
      expect(await pages(ask, { orderBy: order, pageSize: 2 })).toEqual(all);
      expect(await pages(ask, { orderBy: `${order} desc`, pageSize: 2 })).toEqual(all.toReversed());
      const standard = orders[0]?.[0] === order ? await pages(ask, {}) : undefined;
      if (standard !== undefined) expect(standard).toEqual(descending ? all.toReversed() : all);
    },
  );

  test("a page token is refused with another filter, another order, or by another list", async () => {
    const [order = ""] = orders[0] ?? [];
    const [, pageToken] = await ask({ pageSize: 1 });
    expect(pageToken).not.toBe("");
    const filter = "create_time > 2020-01-01T00:00:00Z";
    expect(await refusalOf(ask({ pageToken, filter }))).toBe("InvalidArgument INVALID_PAGE_TOKEN");
    const other = spec.orders[order]?.descending ? "asc" : "desc";
    const turned = ask({ pageToken, orderBy: `${order} ${other}` });
    expect(await refusalOf(turned)).toBe("InvalidArgument INVALID_PAGE_TOKEN");
    const foreign = LISTS.find((list) => list.spec !== spec && list.service !== service);
    expect(await refusalOf(foreign?.ask({ pageToken }))).toBe("InvalidArgument INVALID_PAGE_TOKEN");
    expect((await ask({ pageToken, pageSize: 1 }))[0]).toHaveLength(1);
  });

  test("an unknown field or order is refused and the known ones are named", async () => {
    // One after the other: the second may be refused before anybody waits for it.
    for (const request of [{ filter: "nobody = 1" }, { orderBy: "nobody" }])
      expect(await refusalOf(ask(request))).toBe("InvalidArgument INVALID_FIELD");
    const message = await ask({ filter: "nobody = 1" }).then(String, String);
    for (const field of Object.keys(spec.fields)) expect(message).toContain(field);
  });

  test("no documented field or order reads the whole collection or sorts much in memory", async () => {
    const db = await stack.platform.database(service);
    const combinations = Object.entries(spec.fields).flatMap(([field, type]) =>
      orders.flatMap(([order]) =>
        ["asc", "desc"].map((way) => ({
          filter: `${field} = ${literal(type)}`,
          orderBy: `${order} ${way}`,
        })),
      ),
    );
    const plans = await profiled(db, collection, async () => {
      for (const request of combinations) await ask(request);
    });
    expect(plans.length).toBeGreaterThanOrEqual(combinations.length);
    expect(plans.filter(({ plan }) => plan.includes("COLLSCAN"))).toEqual([]);
    // What belongs to one owner, payment or event, or has one id, is few rows, and may be sorted when it is found.
    const few = /ownerId|paymentId|eventId|tenant: 1, _id.id: 1 }|{ _id.id: 1 }/;
    expect(plans.filter(({ plan, sorted }) => sorted && !few.test(plan))).toEqual([]);
  });

  test("docs/lists.md names its fields and orders", () => {
    const page = readFileSync(path.resolve(import.meta.dirname, "../../docs/lists.md"), "utf8");
    const row = page.split("\n").find((line) => line.startsWith(`| ${spec.name} |`)) ?? "";
    const [, , fields = "", sorts = ""] = row.split("|");
    expect(named(fields)).toEqual(Object.keys(spec.fields));
    expect(named(sorts)).toEqual(
      orders.map(([order, { descending }]) => (descending ? `${order} desc` : order)),
    );
  });
});

test("comparisons find what they say", async () => {
  const ids = async (filter: string) => (await pages(listOf(PAYMENT_LIST), { filter })).length;
  expect(await ids("order_id = order-1")).toBe(1);
  expect(await ids('account_id = "lists" AND status = PAYMENT_STATUS_SUCCEEDED')).toBe(ROWS - 1);
  expect(await ids("status = PARTIALLY_REFUNDED")).toBe(1);
  expect(await ids("amount.minor_units > 500")).toBe(0);
  expect(await ids("amount.minor_units >= 500 AND amount.currency_code = USD")).toBe(ROWS);
  expect(await ids("create_time < 2020-01-01T00:00:00Z")).toBe(0);
  const entries = await pages(listOf(ENTRY_LIST), {
    filter: 'counter_account_id = "external:funding:USD"',
  });
  expect(entries).toEqual(["fund"]);
  const count = async (spec: ListSpec, filter: string) =>
    (await pages(listOf(spec), { filter })).length;
  expect(await count(DELIVERY_LIST, "event_type = payment.refunded AND state = PENDING")).toBe(
    ROWS * ROWS,
  );
  expect(await count(ENDPOINT_LIST, 'url = "https://receiver.invalid/1"')).toBe(1);
  expect(await count(ENDPOINT_LIST, "state != ENABLED")).toBe(0);
  expect(await count(KEY_LIST, "subject = till-1 AND created_by = dev")).toBe(1);
});

const listOf = (spec: ListSpec) => LISTS.find((list) => list.spec === spec)?.ask;

const named = (cell: string): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");

function literal(type: ListSpec["fields"][string]): string {
  if (typeof type === "object") return type.values[0] ?? "";
  return { string: "a", int64: "1", timestamp: "2026-01-01T00:00:00Z", boolean: "true" }[type];
}

async function pages(ask: List["ask"] | undefined, request: Asked): Promise<string[]> {
  const found: string[] = [];
  let pageToken = "";
  do {
    const [ids, next] = (await ask?.({ ...request, pageToken })) ?? [[], ""];
    found.push(...ids);
    pageToken = next;
  } while (pageToken !== "");
  return found;
}

/** The plans that MongoDB ran for the collection meanwhile. */
async function profiled(
  db: Db,
  collection: string,
  run: () => Promise<void>,
): Promise<{ plan: string; sorted: boolean }[]> {
  const since = new Date();
  await db.command({ profile: 2 });
  await run();
  await db.command({ profile: 0 });
  const ns = `${db.databaseName}.${collection}`;
  const filter = { ns, op: "query", ts: { $gte: since }, "command.sort": { $exists: true } };
  const rows = await db.collection("system.profile").find(filter).toArray();
  return rows.map((row) => ({
    plan: String(row["planSummary"]),
    sorted: row["hasSortStage"] === true,
  }));
}
