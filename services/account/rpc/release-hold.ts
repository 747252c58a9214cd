import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { ReleaseHoldRequest, ReleaseHoldResponseSchema } from "#gen/account/v1/account_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { releaseHold } from "../application/release-hold.ts";
import { holdToMessage } from "./mapping.ts";
import type { AccountRpcDeps } from "./router.ts";

export async function handleReleaseHold(
  deps: AccountRpcDeps,
  request: ReleaseHoldRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof ReleaseHoldResponseSchema>> {
  const hold = await releaseHold(deps, scopeOf(context), request.holdId);
  return { hold: holdToMessage(hold) };
}
