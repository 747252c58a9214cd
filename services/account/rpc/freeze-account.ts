import { create, type MessageShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type FreezeAccountRequest,
  FreezeAccountRequestSchema,
  FreezeAccountResponseSchema,
} from "#gen/account/v1/account_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { setAccountState } from "../application/set-account-state.ts";
import { accountToMessage } from "./mapping.ts";
import type { AccountRpcDeps } from "./router.ts";

export function handleFreezeAccount(
  deps: AccountRpcDeps,
  request: FreezeAccountRequest,
  context: HandlerContext,
): Promise<MessageShape<typeof FreezeAccountResponseSchema>> {
  const scope = scopeOf(context);
  const claim = {
    method: "account.v1.AccountService/FreezeAccount",
    requestId: request.requestId,
    requestHash: requestHash(FreezeAccountRequestSchema, request),
    responseSchema: FreezeAccountResponseSchema,
  };
  return deps.once(scope, claim, async () => {
    const change = {
      accountId: request.accountId,
      state: "FROZEN",
      etag: request.etag,
    } as const;
    const account = await setAccountState(deps, scope, change);
    return create(FreezeAccountResponseSchema, { account: accountToMessage(account) });
  });
}
