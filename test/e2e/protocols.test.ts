import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type JsonValue,
  type MessageInitShape,
  toJson,
} from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { KeyService } from "#gen/auth/v1/keys_pb.ts";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { NotificationService } from "#gen/notification/v1/notification_pb.ts";
import { WebhookService } from "#gen/notification/v1/webhook_pb.ts";
import { PaymentService, WaitUntil, WatchRequestSchema } from "#gen/payment/v1/payment_pb.ts";
import { ReportingService } from "#gen/reporting/v1/reporting_pb.ts";
import type { ServiceName } from "#kit/config.ts";
import { clientsPage, type Outcome } from "#test/support/clients-page.ts";
import { toolPath } from "#test/support/env.ts";
import { type WireClient, wireClients } from "#test/support/rpc-clients.ts";
import { runCommand } from "#test/support/run-command.ts";
import { type Stack, startStack } from "#test/support/stack.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const REFUSED = { ok: false, code: Code.InvalidArgument, reason: "INVALID_FIELD" };

/** One RPC of a service with a request that must be answered, or one its rules must refuse. */
interface Ask {
  readonly rpc: string;
  readonly json: JsonValue;
  by(client: WireClient): Promise<unknown>;
}

interface Row {
  readonly service: ServiceName;
  readonly name: string;
  readonly reads: Ask;
  readonly errs: Ask;
}

function ask<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  input: MessageInitShape<I>,
): Ask {
  return {
    rpc: `${method.parent.typeName}/${method.name}`,
    json: toJson(method.input, create(method.input, input)),
    by: (client) => client.call(method, input),
  };
}

function row(service: ServiceName, name: string, reads: Ask, errs: Ask): Row {
  return { service, name, reads, errs };
}

const account = AccountService.method;
const fraud = FraudService.method;
const notification = NotificationService.method;
const webhooks = WebhookService.method;
const payment = PaymentService.method;
const gateway = GatewayService.method;
const reporting = ReportingService.method;
const keys = KeyService.method;
const tooLong = { acknowledgements: [{ requestId: "x".repeat(256) }] };

const rows: readonly Row[] = [
  row(
    "account",
    "Account",
    ask(account.listAccounts, {}),
    ask(account.getAccount, { accountId: "!" }),
  ),
  row("fraud", "Fraud", ask(fraud.getSettings, {}), ask(fraud.getCheck, { checkId: "!" })),
  row(
    "notification",
    "Notification",
    ask(notification.list, {}),
    ask(notification.list, { pageSize: -1 }),
  ),
  row(
    "notification",
    "Webhook",
    ask(webhooks.listEndpoints, {}),
    ask(webhooks.listEndpoints, { pageSize: -1 }),
  ),
  row("payment", "Payment", ask(payment.list, {}), ask(payment.get, { paymentId: "x".repeat(65) })),
  row(
    "gateway",
    "Gateway",
    ask(gateway.listTransactions, {}),
    ask(gateway.listTransactions, { pageSize: -1 }),
  ),
  row("reporting", "Reporting", ask(reporting.audit, {}), ask(reporting.audit, tooLong)),
  row("edge", "Key", ask(keys.listKeys, {}), ask(keys.getKey, { keyId: "!" })),
];

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});

describe.each(rows)("$name", ({ service, reads, errs }) => {
  test("answers and refuses alike through every client, at its own address", async () => {
    const clients = wireClients(stack.addresses[service]);
    try {
      const seen = clients.map(async (client) => ({
        client: client.name,
        read: await reads.by(client),
        refused: await errs.by(client),
      }));
      for (const answers of await Promise.all(seen)) {
        const read = { ok: true };
        expect(answers).toMatchObject({ client: answers.client, read, refused: REFUSED });
      }
    } finally {
      for (const client of clients) client.close();
    }
  });
});

test("docs/clients.md has the table of what every client can do at the edge, as seen now", async () => {
  const paymentId = await settledPayment();
  const clients = wireClients(stack.addresses.edge);
  try {
    const asked = await Promise.all(clients.map((client) => outcomesOf(client, paymentId)));
    const outcomes = [...asked.flat(), ...(await byK6(paymentId))];
    expect(outcomes.filter(({ passed }) => passed === false)).toEqual([]);
    // Written anew by `vitest run -u`.
    await expect(clientsPage(outcomes)).toMatchFileSnapshot(path.join(ROOT, "docs/clients.md"));
  } finally {
    for (const client of clients) client.close();
  }
});

async function settledPayment(): Promise<string> {
  const { payment } = await stack.payment.create({
    accountId: "1",
    amount: { currencyCode: "USD", minorUnits: 25n },
    waitUntil: WaitUntil.COMPLETED,
  });
  return payment?.paymentId ?? "";
}

/** Every kind of call of every service by one client. */
async function outcomesOf(client: WireClient, paymentId: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const add = (
    service: string,
    kind: Outcome["kind"],
    passed: boolean | undefined,
    seen: unknown,
  ) => outcomes.push({ client: client.name, service, kind, passed, seen });
  for (const { name, reads, errs } of rows) {
    const read = await reads.by(client);
    add(name, "unary", matches(read, { ok: true }), read);
    const refused = await errs.by(client);
    add(name, "error with details", matches(refused, REFUSED), refused);
  }
  const messages = await client.stream?.(payment.watch, { paymentId });
  add("Payment", "server stream", messages && isWatched(messages, paymentId), messages);
  return outcomes;
}

function matches(seen: unknown, expected: Readonly<Record<string, unknown>>): boolean {
  const found = new Map(Object.entries(Object(seen)));
  return Object.entries(expected).every(([name, value]) => found.get(name) === value);
}

function isWatched(messages: readonly unknown[], paymentId: string): boolean {
  return messages.length === 1 && JSON.stringify(messages).includes(paymentId);
}

/** k6 with `reflect`: all calls in one process, a line of JSON each. */
async function byK6(paymentId: string): Promise<Outcome[]> {
  const calls = [
    ...rows.flatMap(({ name, reads, errs }) => [
      { name, kind: "unary" as const, rpc: reads.rpc, request: reads.json },
      {
        name,
        kind: "error with details" as const,
        rpc: errs.rpc,
        request: errs.json,
        refused: true,
      },
    ]),
    {
      name: "Payment",
      kind: "server stream" as const,
      rpc: `${PaymentService.typeName}/${payment.watch.name}`,
      request: toJson(WatchRequestSchema, create(WatchRequestSchema, { paymentId })),
      streams: true,
    },
  ];
  const folder = mkdtempSync(path.join(tmpdir(), "settle-k6-"));
  try {
    const lines = path.join(folder, "lines");
    const script = path.join(ROOT, "loadtest/scenarios/every-service.js");
    const { exitCode, stdout, stderr } = await runCommand(
      [
        toolPath("k6"),
        "run",
        "--quiet",
        "--no-color",
        "--no-usage-report",
        "--log-format=raw",
        "--console-output",
        lines,
        script,
      ],
      { env: { ...stack.env, CALLS: JSON.stringify(calls) } },
    );
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
    return readFileSync(lines, "utf8")
      .trim()
      .split("\n")
      .map((line): { index: number; ok: boolean; seen: unknown } => JSON.parse(line))
      .map(({ index, ok, seen }) => {
        const call = calls[index];
        // What a call must bring back: the payment it watches, the reason it is refused for.
        const wanted = {
          unary: "",
          "server stream": paymentId,
          "error with details": REFUSED.reason,
        };
        const isRight = JSON.stringify(seen ?? "").includes(wanted[call?.kind ?? "unary"]);
        return {
          client: "k6 reflect",
          service: call?.name ?? "",
          kind: call?.kind ?? "unary",
          passed: ok && isRight,
          seen,
        };
      });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
