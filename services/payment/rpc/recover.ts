import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type RecoverRequest,
  type RecoverResponse,
  RecoverResponseSchema,
} from "#gen/payment/v1/payment_pb.ts";
import type { PaymentDeps } from "../application/deps.ts";
import { sweep } from "../application/sweep.ts";

export async function handleRecover(
  deps: PaymentDeps,
  _request: RecoverRequest,
  context: HandlerContext,
): Promise<RecoverResponse> {
  const report = await sweep(deps, { everything: true, signal: context.signal });
  return create(RecoverResponseSchema, report);
}
