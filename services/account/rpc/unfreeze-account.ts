import { create, type MessageShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type UnfreezeAccountRequest,
  UnfreezeAccountRequestSchema,
  UnfreezeAccountResponseSchema,
} from "#gen/account/v1/account_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { setAccountState } from "../application/set-account-state.ts";
import { accountToMessage } from "./mapping.ts";
import type { AccountRpcDeps } from "./router.ts";

export function handleUnfreezeAccount(
  deps: AccountRpcDeps,
  request: UnfreezeAccountRequest,
  context: HandlerContext,
): Promise<MessageShape<typeof UnfreezeAccountResponseSchema>> {
  const scope = scopeOf(context);
  const claim = {
    method: "account.v1.AccountService/UnfreezeAccount",
    requestId: request.requestId,
    requestHash: requestHash(UnfreezeAccountRequestSchema, request),
    responseSchema: UnfreezeAccountResponseSchema,
  };
  return deps.once(scope, claim, async () => {
    const change = {
      accountId: request.accountId,
      state: "ACTIVE",
      etag: request.etag,
    } as const;
    const account = await setAccountState(deps, scope, change);
    return create(UnfreezeAccountResponseSchema, { account: accountToMessage(account) });
  });
}
