import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import type { Claim } from "#kit/idempotency/request.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { AccountDeps } from "../application/ports.ts";
import { handleCaptureHold } from "./capture-hold.ts";
import { handleCreateAccount } from "./create-account.ts";
import { handleCredit } from "./credit.ts";
import { handleDebit } from "./debit.ts";
import { handleFreezeAccount } from "./freeze-account.ts";
import { handleGetAccount } from "./get-account.ts";
import { handleGetHold } from "./get-hold.ts";
import { handleGetTransaction } from "./get-transaction.ts";
import { handleListAccounts } from "./list-accounts.ts";
import { handleListEntries } from "./list-entries.ts";
import { handlePlaceHold } from "./place-hold.ts";
import { handleReleaseHold } from "./release-hold.ts";
import { handleReverse } from "./reverse.ts";
import { handleUnfreezeAccount } from "./unfreeze-account.ts";
import { handleValidate } from "./validate.ts";

/** Runs a mutation once per request_id; the database and the reasons are bound by the composition root. */
export type Once = <Res extends DescMessage>(
  scope: Scope,
  claim: Omit<Claim<Res>, "reasons">,
  run: (call: { readonly requestId: string; readonly id: string }) => Promise<MessageShape<Res>>,
) => Promise<MessageShape<Res>>;

/** What the handlers work with. */
export interface AccountRpcDeps extends AccountDeps {
  readonly once: Once;
}

/** Registers every RPC of the Account service. */
export function accountRoutes(deps: AccountRpcDeps): (router: ConnectRouter) => void {
  return (router) => {
    router.service(AccountService, {
      createAccount: (request, context) => handleCreateAccount(deps, request, context),
      getAccount: (request, context) => handleGetAccount(deps, request, context),
      listAccounts: (request, context) => handleListAccounts(deps, request, context),
      validate: (request, context) => handleValidate(deps, request, context),
      debit: (request, context) => handleDebit(deps, request, context),
      credit: (request, context) => handleCredit(deps, request, context),
      placeHold: (request, context) => handlePlaceHold(deps, request, context),
      captureHold: (request, context) => handleCaptureHold(deps, request, context),
      releaseHold: (request, context) => handleReleaseHold(deps, request, context),
      reverse: (request, context) => handleReverse(deps, request, context),
      getTransaction: (request, context) => handleGetTransaction(deps, request, context),
      getHold: (request, context) => handleGetHold(deps, request, context),
      listEntries: (request, context) => handleListEntries(deps, request, context),
      freezeAccount: (request, context) => handleFreezeAccount(deps, request, context),
      unfreezeAccount: (request, context) => handleUnfreezeAccount(deps, request, context),
    });
  };
}
