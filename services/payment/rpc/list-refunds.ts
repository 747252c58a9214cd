import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type ListRefundsRequest,
  type ListRefundsResponse,
  ListRefundsResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import type { PaymentDeps } from "../application/deps.ts";
import { listRefunds } from "../application/list-payments.ts";
import { refundToMessage } from "./mapping.ts";

export async function handleListRefunds(
  deps: PaymentDeps,
  request: ListRefundsRequest,
  context: HandlerContext,
): Promise<ListRefundsResponse> {
  const { items, nextPageToken } = await listRefunds(
    deps,
    scopeOf(context),
    request.paymentId,
    request,
  );
  return create(ListRefundsResponseSchema, { refunds: items.map(refundToMessage), nextPageToken });
}
