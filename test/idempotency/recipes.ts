import type { DescMethod, MessageInitShape } from "@bufbuild/protobuf";
import { Role } from "#gen/common/v1/access_pb.ts";
import { Template } from "#gen/notification/v1/notification_pb.ts";
import { CaptureMode, WaitUntil } from "#gen/payment/v1/payment_pb.ts";
import { uuidv7 } from "#kit/ids.ts";
import { openTask } from "#services/payment/store/tasks.ts";
import type { Stack } from "#test/support/stack.ts";
import { waitUntil } from "#test/support/wait-until.ts";

/** A mutation as a test can repeat it: `other` differs in what is asked for, undefined where only the key is asked. */
export interface Recipe {
  readonly body: MessageInitShape<DescMethod["input"]>;
  readonly other?: MessageInitShape<DescMethod["input"]>;
}

const usd = (minorUnits: bigint) => ({ currencyCode: "USD", minorUnits });

/** An account with 100,000 minor units of USD. */
export async function fundedAccount(stack: Stack): Promise<string> {
  const accountId = `idem-${uuidv7()}`;
  await stack.account.createAccount({ account: { accountId, currencyCode: "USD" } });
  await stack.account.credit({
    transactionId: `fund-${accountId}`,
    accountId,
    amount: usd(100_000n),
  });
  return accountId;
}

async function payment(stack: Stack, captureMode: CaptureMode): Promise<string> {
  const accountId = await fundedAccount(stack);
  const body = { accountId, amount: usd(500n), captureMode, waitUntil: WaitUntil.COMPLETED };
  return (await stack.payment.create(body)).payment?.paymentId ?? "";
}

async function authorization(stack: Stack): Promise<string> {
  const idempotencyKey = `auth-${uuidv7()}`;
  await stack.gateway.authorize({ idempotencyKey, merchantReference: "m", amount: usd(500n) });
  return idempotencyKey;
}

async function reviewed(stack: Stack, checkId: string): Promise<void> {
  const accountId = await fundedAccount(stack);
  await stack.fraud.evaluate({ checkId, paymentId: checkId, accountId, amount: usd(5n) });
}

async function task(stack: Stack): Promise<string> {
  const paymentId = uuidv7();
  const cause = { paymentId, kind: "SUSPENSE", detail: "the hold is gone" };
  await openTask(await stack.platform.database("payment"), { tenant: "default" }, cause);
  return `${paymentId}:SUSPENSE`;
}

/** A name that no resolver knows: what is sent there stays undelivered. */
const HOOK = "https://receiver.invalid/hook";

async function endpoint(stack: Stack): Promise<string> {
  const order = { url: HOOK, eventTypes: ["payment.cancelled"] };
  return (await stack.webhooks.createEndpoint(order)).endpoint?.endpointId ?? "";
}

async function delivery(stack: Stack): Promise<string> {
  const [endpointId, paymentId] = [await endpoint(stack), uuidv7()];
  const notificationId = `${paymentId}:cancelled`;
  const event = { notificationId, paymentId, template: Template.PAYMENT_CANCELLED };
  await stack.notification.send({ ...event, recipient: "a@example.com" });
  const made = async () => (await stack.webhooks.listDeliveries({ endpointId })).deliveries[0];
  return (await waitUntil(made, { what: "a delivery", everyMs: 20 })).deliveryId;
}

async function apiKey(stack: Stack): Promise<string> {
  const order = { subject: "till", roles: [Role.MERCHANT] };
  return (await stack.keys.createKey(order)).key?.keyId ?? "";
}

/** One for each mutation; `key` is the id by which the call can be repeated. */
export const RECIPES: Readonly<Record<string, (stack: Stack, key: string) => Promise<Recipe>>> = {
  "account.v1.AccountService/CreateAccount": async (_, requestId) => ({
    body: { requestId, account: { currencyCode: "USD" } },
    other: { requestId, account: { currencyCode: "EUR" } },
  }),
  "account.v1.AccountService/FreezeAccount": async (stack, requestId) => {
    const accountId = await fundedAccount(stack);
    return { body: { requestId, accountId }, other: { requestId, accountId, reason: "other" } };
  },
  "account.v1.AccountService/UnfreezeAccount": async (stack, requestId) => {
    const accountId = await fundedAccount(stack);
    return { body: { requestId, accountId }, other: { requestId, accountId: `${accountId}x` } };
  },
  "account.v1.AccountService/Debit": async (stack, transactionId) => {
    const accountId = await fundedAccount(stack);
    const body = { transactionId, accountId, amount: usd(10n) };
    return { body, other: { ...body, amount: usd(11n) } };
  },
  "account.v1.AccountService/Credit": async (stack, transactionId) => {
    const accountId = await fundedAccount(stack);
    const body = { transactionId, accountId, amount: usd(10n) };
    return { body, other: { ...body, amount: usd(11n) } };
  },
  "account.v1.AccountService/PlaceHold": async (stack, holdId) => {
    const accountId = await fundedAccount(stack);
    const body = { holdId, accountId, destinationAccountId: "provider:mock:USD", amount: usd(10n) };
    return { body, other: { ...body, amount: usd(11n) } };
  },
  "account.v1.AccountService/CaptureHold": async (stack, transactionId) => {
    const hold = await RECIPES["account.v1.AccountService/PlaceHold"]?.(
      stack,
      `hold-${transactionId}`,
    );
    await stack.account.placeHold(hold?.body ?? {});
    const body = { holdId: `hold-${transactionId}`, transactionId };
    return { body, other: { ...body, amount: usd(3n) } };
  },
  "account.v1.AccountService/ReleaseHold": async (_, holdId) => ({ body: { holdId } }),
  "account.v1.AccountService/Reverse": async (stack, transactionId) => {
    const accountId = await fundedAccount(stack);
    await stack.account.debit({ transactionId, accountId, amount: usd(10n) });
    return { body: { transactionId } };
  },
  "fraud.v1.FraudService/Evaluate": async (stack, checkId) => {
    const accountId = await fundedAccount(stack);
    const body = { checkId, paymentId: checkId, accountId, amount: usd(5n) };
    return { body, other: { ...body, amount: usd(6n) } };
  },
  "fraud.v1.FraudService/Release": async (stack, checkId) => {
    await reviewed(stack, checkId);
    return { body: { checkId } };
  },
  "fraud.v1.FraudService/SubmitDecision": async (stack, requestId) => {
    const currencyCode = "EUR";
    const reviewLimits = [{ currencyCode, minorUnits: 1n }];
    await stack.fraud.updateSettings({ settings: { reviewLimits } });
    const checkId = `check-${requestId}`;
    const amount = { currencyCode, minorUnits: 5n };
    await stack.fraud.evaluate({ checkId, paymentId: checkId, accountId: "somebody", amount });
    const subject = { case: "checkId", value: checkId } as const;
    return {
      body: { requestId, subject, decision: 1, actor: "a" },
      other: { requestId, subject, decision: 2, actor: "a" },
    };
  },
  "fraud.v1.FraudService/SubmitOrderDecision": async (stack, requestId) => {
    const currencyCode = "EUR";
    const reviewLimits = [{ currencyCode, minorUnits: 1n }];
    await stack.fraud.updateSettings({ settings: { reviewLimits } });
    const orderId = `order-${requestId}`;
    const amount = { currencyCode, minorUnits: 5n };
    const check = { checkId: orderId, paymentId: orderId, accountId: "somebody", amount };
    await stack.fraud.evaluate(check);
    return {
      body: { requestId, orderId, isValid: true },
      other: { requestId, orderId, isValid: false },
    };
  },
  "fraud.v1.FraudService/UpdateSettings": async (_, requestId) => ({
    body: { requestId, settings: { deniedAccountIds: ["nobody"] } },
    other: { requestId, settings: { deniedAccountIds: ["someone"] } },
  }),
  "gateway.v1.GatewayService/Authorize": async (_, idempotencyKey) => {
    const body = { idempotencyKey, merchantReference: "m", amount: usd(500n) };
    return { body, other: { ...body, amount: usd(501n) } };
  },
  "gateway.v1.GatewayService/Capture": async (stack, idempotencyKey) => {
    const body = { idempotencyKey, authorizationKey: await authorization(stack) };
    return { body, other: { ...body, amount: usd(3n) } };
  },
  "gateway.v1.GatewayService/Void": async (stack, idempotencyKey) => ({
    body: { idempotencyKey, authorizationKey: await authorization(stack) },
  }),
  "gateway.v1.GatewayService/Refund": async (stack, idempotencyKey) => {
    const authorizationKey = await authorization(stack);
    await stack.gateway.capture({ idempotencyKey: `c-${idempotencyKey}`, authorizationKey });
    const body = { idempotencyKey, authorizationKey, amount: usd(3n) };
    return { body, other: { ...body, amount: usd(4n) } };
  },
  "notification.v1.NotificationService/Send": async (_, notificationId) => {
    const body = { notificationId, recipient: "a@example.com", template: 1 };
    return { body, other: { ...body, recipient: "b@example.com" } };
  },
  "notification.v1.WebhookService/CreateEndpoint": async (_, requestId) => ({
    body: { requestId, url: HOOK },
    other: { requestId, url: HOOK, description: "other" },
  }),
  "notification.v1.WebhookService/UpdateEndpoint": async (stack, requestId) => {
    const body = { requestId, endpointId: await endpoint(stack), url: HOOK, description: "new" };
    return { body, other: { ...body, description: "newer" } };
  },
  "notification.v1.WebhookService/DeleteEndpoint": async (stack, requestId) => ({
    body: { requestId, endpointId: await endpoint(stack) },
    other: { requestId, endpointId: "another" },
  }),
  "notification.v1.WebhookService/RotateSecret": async (stack, requestId) => {
    const body = { requestId, endpointId: await endpoint(stack) };
    return { body, other: { ...body, overlap: { seconds: 1n } } };
  },
  "notification.v1.WebhookService/Redeliver": async (stack, requestId) => ({
    body: { requestId, deliveryId: await delivery(stack) },
    other: { requestId, deliveryId: "another" },
  }),
  "auth.v1.KeyService/CreateKey": async (_, requestId) => ({
    body: { requestId, subject: "till", roles: [Role.MERCHANT] },
    other: { requestId, subject: "till", roles: [Role.REVIEWER] },
  }),
  "auth.v1.KeyService/RotateKey": async (stack, requestId) => {
    const body = { requestId, keyId: await apiKey(stack) };
    return { body, other: { ...body, overlap: { seconds: 1n } } };
  },
  "auth.v1.KeyService/RevokeKey": async (stack, requestId) => ({
    body: { requestId, keyId: await apiKey(stack) },
    other: { requestId, keyId: await apiKey(stack) },
  }),
  "payment.v1.PaymentService/Create": async (stack, requestId) => {
    const body = { requestId, accountId: await fundedAccount(stack), amount: usd(5n) };
    return { body, other: { ...body, amount: usd(6n) } };
  },
  "payment.v1.PaymentService/Cancel": async (stack, requestId) => {
    const body = { requestId, paymentId: await payment(stack, CaptureMode.MANUAL) };
    return { body, other: { ...body, reason: "other" } };
  },
  "payment.v1.PaymentService/Capture": async (stack, requestId) => {
    const body = { requestId, paymentId: await payment(stack, CaptureMode.MANUAL) };
    return { body, other: { ...body, amount: usd(3n) } };
  },
  "payment.v1.PaymentService/CloseTask": async (stack, requestId) => {
    const body = { requestId, taskId: await task(stack), note: "paid out" };
    return { body, other: { ...body, note: "ignored" } };
  },
  "payment.v1.PaymentService/Refund": async (stack, requestId) => {
    const body = {
      requestId,
      paymentId: await payment(stack, CaptureMode.AUTOMATIC),
      amount: usd(3n),
    };
    return { body, other: { ...body, amount: usd(4n) } };
  },
};
