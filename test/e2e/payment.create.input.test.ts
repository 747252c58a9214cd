import {
  create,
  fromJson,
  type JsonObject,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CreateRequestSchema, PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { expectBooksBalance } from "#test/support/books.ts";
import { rawProtocols } from "#test/support/raw-rpc.ts";
import { type WireClient, wireClients } from "#test/support/rpc-clients.ts";
import type { Stack } from "#test/support/stack.ts";
import {
  countRows,
  countRuns,
  endOf,
  openAccount,
  pay,
  startQuickStack,
  usd,
} from "./payment.support.ts";

type Create = Omit<MessageInitShape<typeof CreateRequestSchema>, "$typeName" | "$unknown">;

let stack: Stack;
let accountId: string;
let clients: WireClient[];
beforeAll(async () => {
  stack = await startQuickStack();
  accountId = await openAccount(stack, 1_000n);
  clients = wireClients(stack.addresses.payment).filter(({ name }) =>
    ["@grpc/grpc-js", "Connect JSON over HTTP/2", "gRPC-Web over HTTP/1.1"].includes(name),
  );
});
afterAll(async () => {
  await using _ = stack;
  for (const client of clients) client.close();
  await expectBooksBalance(stack);
});

/** Rows are made before workflows, so that no row means no workflow; the runs are counted once more at the end. */
async function expectNothingStarted(payments: number): Promise<void> {
  expect(await countRows(stack, "payments")).toBe(payments);
  expect(await countRows(stack, "requests")).toBe(0);
  expect(await countRuns(stack, `WorkflowType = "PaymentWorkflow"`)).toBe(payments);
}

const good = (): Create => ({ accountId, amount: usd(100n) });

/** JSON takes any number for an enum, as binary does. */
function fromNumbers(changes: JsonObject): Create {
  const amount = { currencyCode: "USD", minorUnits: "100" };
  return fromJson(CreateRequestSchema, { accountId, amount, ...changes });
}

const INPUTS: readonly (readonly [string, () => Create, string, string])[] = [
  ["no payer", () => ({ amount: usd(1n) }), "INVALID_FIELD", "account_id"],
  ["two payers", () => ({ ...good(), userId: "ann" }), "INVALID_FIELD", "account_id"],
  [
    "an account id with spaces",
    () => ({ ...good(), accountId: "a b" }),
    "INVALID_FIELD",
    "account_id",
  ],
  [
    "an endless account id",
    () => ({ ...good(), accountId: "a".repeat(65) }),
    "INVALID_FIELD",
    "account_id",
  ],
  [
    "an account of the house",
    () => ({ ...good(), accountId: "external:funding:USD" }),
    "INVALID_FIELD",
    "account_id",
  ],
  [
    "the provider as payer",
    () => ({ ...good(), accountId: "provider:mock:USD" }),
    "INVALID_FIELD",
    "account_id",
  ],
  ["no amount", () => ({ accountId }), "INVALID_FIELD", "amount"],
  ["zero", () => ({ accountId, amount: usd(0n) }), "INVALID_AMOUNT", "amount.minor_units"],
  [
    "a negative amount",
    () => ({ accountId, amount: usd(-100n) }),
    "INVALID_AMOUNT",
    "amount.minor_units",
  ],
  [
    "the least int64",
    () => ({ accountId, amount: usd(-(2n ** 63n)) }),
    "INVALID_AMOUNT",
    "amount.minor_units",
  ],
  [
    "more than 10^15",
    () => ({ accountId, amount: usd(10n ** 15n + 1n) }),
    "INVALID_AMOUNT",
    "amount.minor_units",
  ],
  [
    "the largest int64",
    () => ({ accountId, amount: usd(2n ** 63n - 1n) }),
    "INVALID_AMOUNT",
    "amount.minor_units",
  ],
  [
    "no currency",
    () => ({ accountId, amount: { minorUnits: 1n } }),
    "UNSUPPORTED_CURRENCY",
    "amount.currency_code",
  ],
  [
    "an unknown currency",
    () => ({ accountId, amount: { currencyCode: "XYZ", minorUnits: 1n } }),
    "UNSUPPORTED_CURRENCY",
    "amount.currency_code",
  ],
  [
    "a currency in small letters",
    () => ({ accountId, amount: { currencyCode: "usd", minorUnits: 1n } }),
    "UNSUPPORTED_CURRENCY",
    "amount.currency_code",
  ],
  [
    "a method of no kind",
    () => ({ ...good(), paymentMethod: {} }),
    "INVALID_FIELD",
    "payment_method.method",
  ],
  [
    "an unknown behaviour",
    () => ({ ...good(), paymentMethod: { method: { case: "mock", value: { behaviour: 99 } } } }),
    "INVALID_FIELD",
    "payment_method.mock.behaviour",
  ],
  [
    "a card number",
    () => ({
      ...good(),
      paymentMethod: { method: { case: "cardToken", value: { token: "4111111111111111" } } },
    }),
    "INVALID_FIELD",
    "payment_method.card_token.token",
  ],
  [
    "an unknown capture mode",
    () => fromNumbers({ captureMode: 9 }),
    "INVALID_FIELD",
    "capture_mode",
  ],
  [
    "an unknown stage to wait for",
    () => fromNumbers({ waitUntil: 9 }),
    "INVALID_FIELD",
    "wait_until",
  ],
  [
    "a wait beyond 25 s",
    () => ({ ...good(), waitTimeout: { seconds: 26n } }),
    "INVALID_FIELD",
    "wait_timeout",
  ],
  [
    "a wait below zero",
    () => ({ ...good(), waitTimeout: { seconds: -1n } }),
    "INVALID_FIELD",
    "wait_timeout",
  ],
  ["51 metadata pairs", () => ({ ...good(), metadata: pairs(51) }), "INVALID_FIELD", "metadata"],
  [
    "an endless metadata value",
    () => ({ ...good(), metadata: { note: "x".repeat(513) } }),
    "INVALID_FIELD",
    'metadata["note"]',
  ],
  [
    "an empty metadata key",
    () => ({ ...good(), metadata: { "": "x" } }),
    "INVALID_FIELD",
    'metadata[""]',
  ],
  [
    "an endless description",
    () => ({ ...good(), description: "x".repeat(257) }),
    "INVALID_FIELD",
    "description",
  ],
  [
    "an endless request id",
    () => ({ ...good(), requestId: "x".repeat(256) }),
    "INVALID_FIELD",
    "request_id",
  ],
  [
    "an endless order id",
    () => ({ ...good(), orderId: "x".repeat(129) }),
    "INVALID_FIELD",
    "order_id",
  ],
];

describe("Create refuses", () => {
  test.each(INPUTS)(
    "%s, naming the field, with no row and no workflow",
    async (_, input, reason, field) => {
      for (const client of clients) {
        const answer = await client.call(PaymentService.method.create, input());
        expect(answer, client.name).toMatchObject({
          ok: false,
          code: Code.InvalidArgument,
          reason,
          fields: [field],
        });
      }
      await expectNothingStarted(0);
    },
  );

  test("1 MiB of metadata as too large, in every protocol", async () => {
    const metadata = { note: "x".repeat(1_048_576) };
    for (const client of clients) {
      const answer = await client.call(PaymentService.method.create, { ...good(), metadata });
      expect(answer, client.name).toMatchObject({
        ok: false,
        code: Code.ResourceExhausted,
        reason: "MESSAGE_TOO_LARGE",
      });
    }
    await expectNothingStarted(0);
  });
});

const json = (amount: string, rest = ""): Uint8Array =>
  Buffer.from(`{"accountId":"${accountId}","amount":${amount}${rest}}`);
const GOOD_AMOUNT = '{"currencyCode":"USD","minorUnits":"100"}';

describe("Create refuses JSON with", () => {
  test.each([
    ["2^63", () => json('{"currencyCode":"USD","minorUnits":"9223372036854775808"}')],
    ["2^63 as a number", () => json('{"currencyCode":"USD","minorUnits":9223372036854775808}')],
    ["a fraction", () => json('{"currencyCode":"USD","minorUnits":1.5}')],
    ["a word for a number", () => json('{"currencyCode":"USD","minorUnits":"ten"}')],
    [
      "an unknown capture mode by name",
      () => json(GOOD_AMOUNT, ',"captureMode":"CAPTURE_MODE_MANUEL"'),
    ],
    [
      "an unknown behaviour by name",
      () => json(GOOD_AMOUNT, ',"paymentMethod":{"mock":{"behaviour":"BEHAVIOUR_NICE"}}'),
    ],
    ["an unknown method", () => json(GOOD_AMOUNT, ',"paymentMethod":{"wallet":{}}')],
    [
      "two methods",
      () => json(GOOD_AMOUNT, ',"paymentMethod":{"mock":{},"cardToken":{"token":"tok_1"}}'),
    ],
    [
      "broken UTF-8",
      () =>
        Buffer.concat([
          json(GOOD_AMOUNT, ',"description":"').subarray(0, -1),
          Buffer.from([0xc3, 0x28]),
          Buffer.from('"}'),
        ]),
    ],
    ["no JSON at all", () => Buffer.from("amount=100")],
    ["a list", () => Buffer.from("[]")],
  ])("%s, as the caller's mistake", async (_, body) => {
    const send = rawProtocols["Connect JSON"];
    const answer = await send(stack.addresses.payment, PaymentService.method.create, body());
    expect(Code[answer.code ?? 0]).toBe("InvalidArgument");
    expect(["MALFORMED_MESSAGE", "INVALID_FIELD"]).toContain(answer.reason);
    await expectNothingStarted(0);
  });
});

describe("Create refuses bytes that", () => {
  test.each([
    ["are garbage", () => Buffer.from("ffffffffffffffffffffffff", "hex")],
    [
      "end too early",
      () => toBinary(CreateRequestSchema, create(CreateRequestSchema, good())).subarray(0, -3),
    ],
    ["hold broken UTF-8", () => Buffer.from([0x12, 0x02, 0xc3, 0x28])],
    ["claim a field of another type", () => Buffer.from([0x10, 0x01])],
  ])("%s, in gRPC, gRPC-Web and Connect", async (_, bytes) => {
    for (const name of ["gRPC", "gRPC-Web", "Connect"] as const) {
      const send = rawProtocols[name];
      const answer = await send(stack.addresses.payment, PaymentService.method.create, bytes());
      expect([name, Code[answer.code ?? 0]]).toEqual([name, "InvalidArgument"]);
    }
    await expectNothingStarted(0);
  });
});

describe("Create takes", () => {
  test("metadata as large as its rules allow, in any script and every encoding, to the end of the payment", async () => {
    const entries = Array.from({ length: 50 }, (_, each) => [
      `${each}`.padEnd(64, "鍵"),
      "値".repeat(512),
    ]);
    const metadata: Record<string, string> = Object.fromEntries(entries);
    const payer = await openAccount(stack, 1_000n);
    const order = (requestId: string) => ({
      requestId,
      accountId: payer,
      amount: usd(1n),
      metadata,
    });
    for (const client of clients) {
      const answer = await client.call(PaymentService.method.create, order(client.name));
      expect(answer, client.name).toMatchObject({ ok: true });
    }
    const body = { ...order("rest"), amount: { currencyCode: "USD", minorUnits: "1" } };
    // Six bytes for each character: the most that JSON makes of it.
    const escaped = JSON.stringify(body).replaceAll(
      /[^ -~]/g,
      (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    expect(escaped.length).toBeGreaterThan(150_000);
    for (const port of [stack.addresses.payment, stack.addresses.edge]) {
      const headers = { "content-type": "application/json" };
      const response = await fetch(`http://${port}/v1/payments`, {
        method: "POST",
        headers,
        body: escaped,
      });
      expect(response.status, port).toBe(200);
    }
    const { payments } = await stack.payment.list({ filter: `account_id = "${payer}"` });
    expect(payments).toHaveLength(clients.length + 1);
    for (const { paymentId } of payments) {
      expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
      expect((await stack.payment.get({ paymentId })).payment?.metadata).toEqual(metadata);
    }
  });

  test("odd text as it is: nothing a caller writes becomes an error of ours", async () => {
    const texts = ["nul \u0000", "$where", "a.b", "emoji 🦊", "‮reversed", "' or 1=1"];
    const other = await openAccount(stack, 1_000n);
    for (const text of texts) {
      const paymentId = await pay(stack, other, undefined, {
        description: text,
        metadata: { [text]: text },
        orderId: text,
        requestId: text,
        amount: usd(1n),
      });
      expect(await endOf(stack, paymentId)).toBe("SUCCEEDED");
      const { payment } = await stack.payment.get({ paymentId });
      expect(payment).toMatchObject({
        description: text,
        orderId: text,
        metadata: { [text]: text },
      });
    }
    const lone = json(GOOD_AMOUNT, ',"description":"\\ud800"');
    const send = rawProtocols["Connect JSON"];
    const answer = await send(stack.addresses.payment, PaymentService.method.create, lone);
    expect([undefined, Code.InvalidArgument]).toContain(answer.code);
  });
});

function pairs(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, "v"]));
}
