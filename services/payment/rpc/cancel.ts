import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type CancelRequest,
  CancelRequestSchema,
  type CancelResponse,
  CancelResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { cancelPayment } from "../application/cancel-payment.ts";
import { mustFind } from "../application/wait-for.ts";
import type { PaymentRpcDeps } from "./deps.ts";
import { paymentToMessage } from "./mapping.ts";

export async function handleCancel(
  deps: PaymentRpcDeps,
  request: CancelRequest,
  context: HandlerContext,
): Promise<CancelResponse> {
  const scope = scopeOf(context);
  const claim = {
    method: "payment.v1.PaymentService/Cancel",
    requestId: request.requestId,
    requestHash: requestHash(CancelRequestSchema, request),
    responseSchema: CancelResponseSchema,
  };
  // A payer's repeat of somebody else's request_id must not be answered with that call's answer.
  if (scope.accounts) await mustFind(deps, scope, request.paymentId);
  return deps.once(scope, claim, async (call) => {
    const { paymentId, etag } = request;
    const payment = await cancelPayment(deps, scope, { paymentId, requestId: call.id, etag });
    return create(CancelResponseSchema, { payment: paymentToMessage(payment) });
  });
}
