import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { PaymentMethod_Mock_Behaviour as Behaviour } from "#gen/common/v1/payment_method_pb.ts";
import { TransactionState } from "#gen/gateway/v1/gateway_pb.ts";
import { BadRequestSchema } from "#gen/google/rpc/error_details_pb.ts";
import {
  type CreateRequestSchema,
  type Payment,
  PaymentStatus,
} from "#gen/payment/v1/payment_pb.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { SIGNATURE_HEADER, signWebhook } from "#kit/webhook.ts";
import { GATEWAY_SECRET, type Stack, startStack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";

export { Behaviour, PaymentStatus };

/** Name of an enum's value, as the contract writes it without its prefix. */
export function nameOf(names: Readonly<Record<string, number>>, value: number | undefined): string {
  return Object.entries(names).find(([, known]) => known === value)?.[0] ?? `${value}`;
}

/** Short durations, so that every way a payment can go fits a test. */
export const QUICK = {
  SETTLE_GATEWAY_CALLBACK_DELAY: "300ms",
  SETTLE_GATEWAY_LATE_CALLBACK_DELAY: "4s",
  SETTLE_SWEEP_INTERVAL: "500ms",
  SETTLE_SWEEP_AFTER: "1s",
  SETTLE_STEP_BACKOFF_MAX: "1s",
  SETTLE_NOTIFICATION_INTERVAL: "200ms",
  SETTLE_NOTIFICATION_RETRY_MIN: "200ms",
} as const;

/** A stack with short durations. */
export function startQuickStack(env: Readonly<Record<string, string>> = {}): Promise<Stack> {
  return startStack({ ...QUICK, ...env });
}

/** An amount of dollars in cents. */
export function usd(minorUnits: bigint): { currencyCode: string; minorUnits: bigint } {
  return { currencyCode: "USD", minorUnits };
}

/** Opens an account nobody else uses, with a balance. */
export async function openAccount(
  { account }: Stack,
  minorUnits: bigint,
  options: {
    readonly currencyCode?: string;
    readonly ownerId?: string;
    /** Begins the id. */
    readonly name?: string;
  } = {},
): Promise<string> {
  const { currencyCode = "USD", ownerId = "", name = "payer" } = options;
  const accountId = `${name}-${randomUUID()}`;
  await account.createAccount({ account: { accountId, currencyCode, ownerId } });
  if (minorUnits > 0n) {
    const amount = { currencyCode, minorUnits };
    await account.credit({ transactionId: `fund-${accountId}`, accountId, amount });
  }
  return accountId;
}

type CreateInit = Omit<MessageInitShape<typeof CreateRequestSchema>, "$typeName" | "$unknown">;

/** Creates a payment of 100 cents at the mock provider, behaving as asked, and answers its id. */
export async function pay(
  stack: Stack,
  accountId: string,
  behaviour: Behaviour = Behaviour.OK,
  changes: CreateInit = {},
): Promise<string> {
  const { payment } = await stack.payment.create({
    accountId,
    amount: usd(100n),
    paymentMethod: mock(behaviour),
    ...changes,
  });
  return payment?.paymentId ?? "";
}

/** A payment method of the mock provider. */
export function mock(behaviour: Behaviour, flakyAttempts = 0) {
  return { method: { case: "mock" as const, value: { behaviour, flakyAttempts } } };
}

/** The payment as it is now. */
export async function read(stack: Stack, paymentId: string): Promise<Payment> {
  const { payment } = await stack.payment.get({ paymentId });
  if (payment === undefined) throw new Error(`no payment ${paymentId}`);
  return payment;
}

/** Waits until the payment has one of the statuses. */
export function until(
  stack: Stack,
  paymentId: string,
  ...statuses: readonly PaymentStatus[]
): Promise<Payment> {
  return waitUntil(
    async () => {
      const payment = await read(stack, paymentId);
      if (statuses.includes(payment.status)) return payment;
      throw new Error(`payment ${paymentId} is ${nameOf(PaymentStatus, payment.status)}`);
    },
    { what: statuses.map((status) => nameOf(PaymentStatus, status)).join(" or ") },
  );
}

/** Waits for the payment's end; `SUCCEEDED`, or for example `FAILED GATEWAY_DECLINED`. */
export async function endOf(stack: Stack, paymentId: string): Promise<string> {
  const { SUCCEEDED, FAILED, CANCELLED, PARTIALLY_REFUNDED, REFUNDED } = PaymentStatus;
  const ends = [SUCCEEDED, FAILED, CANCELLED, PARTIALLY_REFUNDED, REFUNDED];
  const { status, failure } = await until(stack, paymentId, ...ends);
  return [nameOf(PaymentStatus, status), failure?.reason].filter(Boolean).join(" ");
}

/** What the ledger says about an account. */
export async function balanceOf(
  stack: Stack,
  accountId: string,
): Promise<{ readonly balance: bigint | undefined; readonly held: bigint | undefined }> {
  const { account } = await stack.account.getAccount({ accountId });
  return { balance: account?.balance?.minorUnits, held: account?.held?.minorUnits };
}

/** What the provider's own book says, for example `CAPTURED 100-0` or `VOIDED 0-0`. */
export async function atProvider(stack: Stack, paymentId: string): Promise<string> {
  try {
    const authorizationKey = `${paymentId}:authorize`;
    const { transaction } = await stack.gateway.getTransaction({ authorizationKey });
    const captured = transaction?.capturedAmount?.minorUnits ?? 0n;
    const refunded = transaction?.refundedAmount?.minorUnits ?? 0n;
    return `${nameOf(TransactionState, transaction?.state)} ${captured}-${refunded}`;
  } catch (error) {
    if (reasonOf(error) === "GATEWAY_TRANSACTION_NOT_FOUND") return "UNKNOWN";
    throw error;
  }
}

/** Ids of the messages about a payment, without the payment's own id, once there are `count` of them. */
export async function noticesOf(stack: Stack, paymentId: string, count = 1): Promise<string[]> {
  return waitUntil(
    async () => {
      const { notifications } = await stack.notification.list({ paymentId });
      if (notifications.length < count) return undefined;
      return notifications
        .map(({ notificationId }) => notificationId.replace(`${paymentId}:`, ""))
        .sort();
    },
    { what: `${count} messages about ${paymentId}` },
  );
}

/** Code and reason of a call that must fail, for example `NotFound PAYMENT_NOT_FOUND`, and the fields it names. */
export async function failure(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error === undefined) return "no failure";
  if (!(error instanceof ConnectError)) throw error;
  const fields = error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations);
  return [Code[error.code], reasonOf(error), ...fields.map(({ field }) => field)].join(" ");
}

/** Number of rows in a collection of Payment, of those that match. */
export async function countRows(
  stack: Stack,
  collection: string,
  filter: object = {},
): Promise<number> {
  const db = await stack.platform.database("payment");
  return db.collection(collection).countDocuments(filter);
}

/** Number of workflow runs in the stack's namespace that match a visibility query. */
export async function countRuns(stack: Stack, query = ""): Promise<number> {
  const { client } = await stack.platform.temporal();
  return (await client.workflow.count(query)).count;
}

/** Ends the open run of a workflow as an operator might, without any of its undo. */
export async function terminate(stack: Stack, workflowId: string): Promise<void> {
  const { client } = await stack.platform.temporal();
  await client.workflow.getHandle(workflowId).terminate("by a test");
}

/** Parts of a callback that a test may choose. */
export interface CallbackParts {
  readonly eventId?: string;
  readonly state?: "AUTHORIZED" | "DECLINED" | "VOIDED" | "REFUNDED";
  readonly minorUnits?: string;
  readonly currencyCode?: string;
  readonly secret?: string;
  /** How long ago it was signed, in seconds. */
  readonly ageSeconds?: number;
}

/** Sends a callback as the provider would, and answers the HTTP status. */
export async function callBack(
  stack: Stack,
  paymentId: string,
  parts: CallbackParts = {},
): Promise<number> {
  const { state = "AUTHORIZED", minorUnits = "100", currencyCode = "USD" } = parts;
  const body = JSON.stringify({
    event_id: parts.eventId ?? `evt_${randomUUID()}`,
    type: state === "AUTHORIZED" ? "authorization.succeeded" : "authorization.declined",
    merchant: "default",
    authorization_key: `${paymentId}:authorize`,
    gateway_reference: "gw_by_hand",
    merchant_reference: paymentId,
    state,
    amount: { currency_code: currencyCode, minor_units: minorUnits },
    decline_reason: state === "DECLINED" ? "card_declined" : "",
    occurred_at: new Date().toISOString(),
  });
  const seconds = Math.floor(Date.now() / 1000) - (parts.ageSeconds ?? 0);
  return postCallback(stack, body, signWebhook(parts.secret ?? GATEWAY_SECRET, seconds, body));
}

/** Sends any body to the callback endpoint, and answers the HTTP status. */
export async function postCallback(
  stack: Stack,
  body: string | Uint8Array<ArrayBuffer>,
  signature?: string,
  provider = "mock",
): Promise<number> {
  const response = await fetch(`http://${stack.addresses.payment}/callbacks/gateway/${provider}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(signature === undefined ? {} : { [SIGNATURE_HEADER]: signature }),
    },
    body,
  });
  await response.arrayBuffer();
  return response.status;
}
