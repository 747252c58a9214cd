import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { CaptureHoldRequest, CaptureHoldResponseSchema } from "#gen/account/v1/account_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { captureHold } from "../application/capture-hold.ts";
import { holdToMessage, moneyOf, transferToMessage } from "./mapping.ts";
import type { AccountRpcDeps } from "./router.ts";

export async function handleCaptureHold(
  deps: AccountRpcDeps,
  request: CaptureHoldRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof CaptureHoldResponseSchema>> {
  const { holdId, transactionId } = request;
  const amount = request.amount === undefined ? null : moneyOf(request.amount);
  const input = { holdId, transactionId, amount };
  const { hold, transfer } = await captureHold(deps, scopeOf(context), input);
  return { hold: holdToMessage(hold), transfer: transferToMessage(transfer) };
}
