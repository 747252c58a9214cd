import { create, type MessageShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type CreateAccountRequest,
  CreateAccountRequestSchema,
  CreateAccountResponseSchema,
} from "#gen/account/v1/account_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { createAccount } from "../application/create-account.ts";
import { accountToMessage } from "./mapping.ts";
import type { AccountRpcDeps } from "./router.ts";

export function handleCreateAccount(
  deps: AccountRpcDeps,
  request: CreateAccountRequest,
  context: HandlerContext,
): Promise<MessageShape<typeof CreateAccountResponseSchema>> {
  const scope = scopeOf(context);
  const claim = {
    method: "account.v1.AccountService/CreateAccount",
    requestId: request.requestId,
    requestHash: requestHash(CreateAccountRequestSchema, request),
    responseSchema: CreateAccountResponseSchema,
  };
  return deps.once(scope, claim, async ({ id }) => {
    // The claim's id names the account and its creation: a repeat after a crash finds what the first call made.
    const account = await createAccount(deps, scope, {
      accountId: request.account?.accountId || id,
      ownerId: request.account?.ownerId ?? "",
      currencyCode: request.account?.currencyCode ?? "",
      requestId: id,
    });
    return create(CreateAccountResponseSchema, { account: accountToMessage(account) });
  });
}
