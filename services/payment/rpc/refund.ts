import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type RefundRequest,
  RefundRequestSchema,
  type RefundResponse,
  RefundResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { refundPayment } from "../application/refund-payment.ts";
import type { PaymentRpcDeps } from "./deps.ts";
import { refundToMessage } from "./mapping.ts";

export async function handleRefund(
  deps: PaymentRpcDeps,
  request: RefundRequest,
  context: HandlerContext,
): Promise<RefundResponse> {
  const scope = scopeOf(context);
  const claim = {
    method: "payment.v1.PaymentService/Refund",
    requestId: request.requestId,
    requestHash: requestHash(RefundRequestSchema, request),
    responseSchema: RefundResponseSchema,
  };
  return deps.once(scope, claim, async (call) => {
    const { paymentId, amount, reason } = request;
    const order = { refundId: call.id, paymentId, reason, ...(amount ? { amount } : {}) };
    const refund = await refundPayment(deps, scope, order);
    return create(RefundResponseSchema, { refund: refundToMessage(refund) });
  });
}
