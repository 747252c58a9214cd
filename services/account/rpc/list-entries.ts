import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { ListEntriesRequest, ListEntriesResponseSchema } from "#gen/account/v1/account_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { listEntries } from "../application/read-ledger.ts";
import { entryToMessage } from "./mapping.ts";
import type { AccountRpcDeps } from "./router.ts";

export async function handleListEntries(
  deps: AccountRpcDeps,
  request: ListEntriesRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof ListEntriesResponseSchema>> {
  const page = await listEntries(deps, scopeOf(context), request);
  const entries = page.items.map((posting) => entryToMessage(posting, request.accountId));
  return { entries, nextPageToken: page.nextPageToken };
}
