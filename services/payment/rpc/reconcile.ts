import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type ReconcileRequest,
  type ReconcileResponse,
  ReconcileResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import type { PaymentDeps } from "../application/deps.ts";
import { mustFind } from "../application/wait-for.ts";
import { keysOf } from "../domain/payment.ts";
import { paymentToMessage } from "./mapping.ts";

export async function handleReconcile(
  deps: PaymentDeps,
  request: ReconcileRequest,
  context: HandlerContext,
): Promise<ReconcileResponse> {
  const payment = await mustFind(deps, scopeOf(context), request.paymentId);
  await deps.workflows.startReconcile(payment);
  const workflowId = keysOf.reconcileWorkflow(payment.paymentId);
  return create(ReconcileResponseSchema, { payment: paymentToMessage(payment), workflowId });
}
