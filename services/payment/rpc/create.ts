import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import {
  CaptureMode,
  type CreateRequest,
  CreateRequestSchema,
  type CreateResponse,
  CreateResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { isCurrency } from "#kit/pure/currency.ts";
import { refuseField } from "#kit/refusal.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { createPayment } from "../application/create-payment.ts";
import type { PaymentDeps } from "../application/deps.ts";
import { plainAmount } from "../application/plain-amount.ts";
import { isSystemAccount, keysOf } from "../domain/payment.ts";
import { methodFromMessage, paymentToMessage, waitUntilFromMessage } from "./mapping.ts";

/** Longest wait, in milliseconds: below the 30 s that any call may take. */
const WAIT_MAX_MS = 25_000;

export async function handleCreate(
  deps: PaymentDeps,
  request: CreateRequest,
  context: HandlerContext,
): Promise<CreateResponse> {
  const scope = scopeOf(context);
  const amount = request.amount ?? (await plainAmount(deps, scope, request));
  if (!isCurrency(amount.currencyCode)) {
    throw refuseField(
      "amount.currency_code",
      `${amount.currencyCode} is not an ISO 4217 currency, for example USD`,
      "UNSUPPORTED_CURRENCY",
    );
  }
  if (isSystemAccount(request.accountId)) {
    throw refuseField("account_id", "is an account of the house; nobody pays from it");
  }
  const { payment, runId } = await createPayment(
    deps,
    scope,
    {
      requestId: request.requestId,
      requestHash: requestHash(CreateRequestSchema, request),
      accountId: request.accountId,
      userId: request.userId,
      amount,
      method: methodFromMessage(request.paymentMethod),
      captureMode: request.captureMode === CaptureMode.MANUAL ? "MANUAL" : "AUTOMATIC",
      description: request.description,
      metadata: Object.entries(request.metadata).map(([key, value]) => ({ key, value })),
      orderId: request.orderId,
      waitUntil: waitUntilFromMessage(request.waitUntil),
      waitTimeoutMs: request.waitTimeout ? durationMs(request.waitTimeout) : WAIT_MAX_MS,
    },
    context.signal,
  );
  return create(CreateResponseSchema, {
    payment: paymentToMessage(payment),
    orderId: payment.orderId || payment.paymentId,
    workflowId: keysOf.workflow(payment.paymentId),
    runId,
  });
}
