import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type GetStatusRequest,
  type GetStatusResponse,
  GetStatusResponseSchema,
  PaymentStatus,
  PaymentStep,
} from "#gen/payment/v1/payment_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import type { PaymentDeps } from "../application/deps.ts";
import { mustFind } from "../application/wait-for.ts";
import { fourValueView } from "../domain/payment.ts";

const WORKFLOW_PREFIX = /^payment-/;

export async function handleGetStatus(
  deps: PaymentDeps,
  request: GetStatusRequest,
  context: HandlerContext,
): Promise<GetStatusResponse> {
  // The source system's clients know a payment by its workflow id only.
  const paymentId = (request.paymentId || request.workflowId).replace(WORKFLOW_PREFIX, "");
  const payment = await mustFind(deps, scopeOf(context), paymentId);
  return create(GetStatusResponseSchema, {
    paymentId,
    status: PaymentStatus[payment.status],
    step: PaymentStep[payment.step],
    view: fourValueView(payment.status),
    ...(payment.failure ? { failure: payment.failure } : {}),
  });
}
