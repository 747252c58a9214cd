import { create } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type ListRequest,
  type ListResponse,
  ListResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import type { PaymentDeps } from "../application/deps.ts";
import { listPayments } from "../application/list-payments.ts";
import { paymentToMessage, statusFromMessage } from "./mapping.ts";

export async function handleList(
  deps: PaymentDeps,
  request: ListRequest,
  context: HandlerContext,
): Promise<ListResponse> {
  const status = statusFromMessage(request.status);
  const filter = {
    ...(request.accountId ? { accountId: request.accountId } : {}),
    ...(status ? { status } : {}),
    ...(request.createTimeFrom ? { createdFrom: timestampDate(request.createTimeFrom) } : {}),
    ...(request.createTimeTo ? { createdTo: timestampDate(request.createTimeTo) } : {}),
  };
  const page = { size: request.pageSize, token: request.pageToken };
  const { items, nextPageToken } = await listPayments(deps, scopeOf(context), filter, page);
  return create(ListResponseSchema, { payments: items.map(paymentToMessage), nextPageToken });
}
