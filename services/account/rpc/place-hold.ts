import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { PlaceHoldRequest, PlaceHoldResponseSchema } from "#gen/account/v1/account_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { placeHold } from "../application/place-hold.ts";
import { holdToMessage, moneyOf } from "./mapping.ts";
import type { AccountRpcDeps } from "./router.ts";

export async function handlePlaceHold(
  deps: AccountRpcDeps,
  request: PlaceHoldRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof PlaceHoldResponseSchema>> {
  const { holdId, accountId, destinationAccountId, reference } = request;
  const amount = moneyOf(request.amount);
  const input = { holdId, accountId, destinationAccountId, reference, amount };
  const hold = await placeHold(deps, scopeOf(context), input);
  return { hold: holdToMessage(hold) };
}
