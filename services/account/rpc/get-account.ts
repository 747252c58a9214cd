import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { GetAccountRequest, GetAccountResponseSchema } from "#gen/account/v1/account_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { getAccount } from "../application/read-account.ts";
import { accountToMessage } from "./mapping.ts";
import type { AccountRpcDeps } from "./router.ts";

export async function handleGetAccount(
  deps: AccountRpcDeps,
  request: GetAccountRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof GetAccountResponseSchema>> {
  const account = await getAccount(deps, scopeOf(context), request.accountId);
  return { account: accountToMessage(account) };
}
