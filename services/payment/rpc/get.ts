import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type GetRequest,
  type GetResponse,
  GetResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import type { PaymentDeps } from "../application/deps.ts";
import { mustFind } from "../application/wait-for.ts";
import { paymentToMessage } from "./mapping.ts";

export async function handleGet(
  deps: PaymentDeps,
  request: GetRequest,
  context: HandlerContext,
): Promise<GetResponse> {
  const payment = await mustFind(deps, scopeOf(context), request.paymentId);
  return create(GetResponseSchema, { payment: paymentToMessage(payment) });
}
