import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type CaptureRequest,
  CaptureRequestSchema,
  type CaptureResponse,
  CaptureResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { capturePayment } from "../application/capture-payment.ts";
import type { PaymentRpcDeps } from "./deps.ts";
import { paymentToMessage } from "./mapping.ts";

export async function handleCapture(
  deps: PaymentRpcDeps,
  request: CaptureRequest,
  context: HandlerContext,
): Promise<CaptureResponse> {
  const scope = scopeOf(context);
  const claim = {
    method: "payment.v1.PaymentService/Capture",
    requestId: request.requestId,
    requestHash: requestHash(CaptureRequestSchema, request),
    responseSchema: CaptureResponseSchema,
  };
  return deps.once(scope, claim, async (call) => {
    const { paymentId, amount, etag } = request;
    const capture = { paymentId, requestId: call.id, etag, ...(amount ? { amount } : {}) };
    const payment = await capturePayment(deps, scope, capture);
    return create(CaptureResponseSchema, { payment: paymentToMessage(payment) });
  });
}
