import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type GetRefundRequest,
  type GetRefundResponse,
  GetRefundResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import type { PaymentDeps } from "../application/deps.ts";
import { getRefund } from "../application/list-payments.ts";
import { refundToMessage } from "./mapping.ts";

export async function handleGetRefund(
  deps: PaymentDeps,
  request: GetRefundRequest,
  context: HandlerContext,
): Promise<GetRefundResponse> {
  const refund = await getRefund(deps, scopeOf(context), request.refundId);
  return create(GetRefundResponseSchema, { refund: refundToMessage(refund) });
}
