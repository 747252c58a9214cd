import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type ListRequest,
  type ListResponse,
  ListResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { refuseField } from "#kit/refusal.ts";
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
    ...(request.createTimeFrom
      ? { createdFrom: dateOf("create_time_from", request.createTimeFrom) }
      : {}),
    ...(request.createTimeTo ? { createdTo: dateOf("create_time_to", request.createTimeTo) } : {}),
  };
  const { items, nextPageToken } = await listPayments(deps, scopeOf(context), filter, request);
  return create(ListResponseSchema, { payments: items.map(paymentToMessage), nextPageToken });
}

/** In binary a timestamp can be of any year; a date cannot. */
function dateOf(field: string, timestamp: Timestamp): Date {
  const date = timestampDate(timestamp);
  if (Number.isNaN(date.getTime())) throw refuseField(field, "is not a time of years 1 to 9999");
  return date;
}
