import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { ReverseRequest, ReverseResponseSchema } from "#gen/account/v1/account_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { reverse } from "../application/reverse.ts";
import { transferToMessage } from "./mapping.ts";
import type { AccountRpcDeps } from "./router.ts";

export async function handleReverse(
  deps: AccountRpcDeps,
  request: ReverseRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof ReverseResponseSchema>> {
  const { transactionId, reason } = request;
  const answer = await reverse(deps, scopeOf(context), { transactionId, reason });
  const { transfer, reversal } = answer;
  return {
    transfer: transferToMessage(transfer, reversal !== undefined),
    ...(reversal === undefined ? {} : { reversal: transferToMessage(reversal) }),
  };
}
