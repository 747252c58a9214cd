import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type WatchRequest,
  type WatchResponse,
  WatchResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import type { PaymentDeps } from "../application/deps.ts";
import { watchPayment } from "../application/watch-payment.ts";
import { paymentToMessage } from "./mapping.ts";

export async function* handleWatch(
  deps: PaymentDeps,
  request: WatchRequest,
  context: HandlerContext,
): AsyncGenerator<WatchResponse> {
  const { paymentId, resumeToken } = request;
  const events = watchPayment(deps, scopeOf(context), paymentId, resumeToken, context.signal);
  for await (const event of events) {
    yield create(WatchResponseSchema, {
      resumeToken: event.resumeToken,
      heartbeat: event.payment === undefined,
      ...(event.payment ? { payment: paymentToMessage(event.payment) } : {}),
    });
  }
}
