import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type {
  GetTransactionRequest,
  GetTransactionResponseSchema,
} from "#gen/account/v1/account_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { getTransaction } from "../application/read-ledger.ts";
import { transferToMessage } from "./mapping.ts";
import type { AccountRpcDeps } from "./router.ts";

export async function handleGetTransaction(
  deps: AccountRpcDeps,
  request: GetTransactionRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof GetTransactionResponseSchema>> {
  const found = await getTransaction(deps, scopeOf(context), request.transactionId);
  return { transfer: transferToMessage(found.transfer, found.reversed) };
}
