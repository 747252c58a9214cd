import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type {
  ListAccountsRequest,
  ListAccountsResponseSchema,
} from "#gen/account/v1/account_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { listAccounts } from "../application/read-account.ts";
import { accountToMessage } from "./mapping.ts";
import type { AccountRpcDeps } from "./router.ts";

export async function handleListAccounts(
  deps: AccountRpcDeps,
  request: ListAccountsRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof ListAccountsResponseSchema>> {
  const page = await listAccounts(deps, scopeOf(context), request);
  return { accounts: page.items.map(accountToMessage), nextPageToken: page.nextPageToken };
}
