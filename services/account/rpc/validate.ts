import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { ValidateRequest, ValidateResponseSchema } from "#gen/account/v1/account_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { validate } from "../application/read-account.ts";
import { moneyOf } from "./mapping.ts";
import type { AccountRpcDeps } from "./router.ts";

export async function handleValidate(
  deps: AccountRpcDeps,
  request: ValidateRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof ValidateResponseSchema>> {
  const { accountId } = request;
  const reason = await validate(deps, scopeOf(context), {
    accountId,
    amount: moneyOf(request.amount),
  });
  return { valid: reason === undefined, reason: reason ?? "" };
}
