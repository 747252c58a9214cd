import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { GetHoldRequest, GetHoldResponseSchema } from "#gen/account/v1/account_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { getHold } from "../application/read-ledger.ts";
import { holdToMessage } from "./mapping.ts";
import type { AccountRpcDeps } from "./router.ts";

export async function handleGetHold(
  deps: AccountRpcDeps,
  request: GetHoldRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof GetHoldResponseSchema>> {
  const hold = await getHold(deps, scopeOf(context), request.holdId);
  return { hold: holdToMessage(hold) };
}
