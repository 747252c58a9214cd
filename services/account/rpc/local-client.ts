import { type Client, createClient, createRouterTransport } from "@connectrpc/connect";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { developmentScope, scopeKey } from "#kit/rpc/context.ts";
import { outcomeInterceptor } from "#kit/rpc/outcome.ts";
import { accountReasons } from "../reasons.ts";
import type { AccountRpcDeps } from "./deps.ts";
import { accountRoutes } from "./router.ts";

/**
 * The service as its own activities call it: the same handlers and errors, in memory and not over the wire.
 * The caller is this process, so the tenant it names is honoured.
 */
export function localAccountClient(deps: AccountRpcDeps): Client<typeof AccountService> {
  const transport = createRouterTransport(accountRoutes(deps), {
    router: {
      interceptors: [outcomeInterceptor(accountReasons)],
      requestGate: (context) => {
        context.values.set(scopeKey, developmentScope(context.requestHeader));
      },
    },
  });
  return createClient(AccountService, transport);
}
