import type { DescService } from "@bufbuild/protobuf";
import {
  type Client,
  type ConnectRouter,
  createClient,
  createRouterTransport,
} from "@connectrpc/connect";
import type { ReasonTable } from "../pure/reasons.ts";
import { serviceScope } from "../pure/scope.ts";
import { scopeKey, TENANT_HEADER } from "./context.ts";
import { outcomeInterceptor } from "./outcome.ts";

/**
 * A service's client of itself, without the wire: its own activities call its handlers as a peer's would, with the
 * same errors, in the tenant that `onBehalfOf` names. Never closed; it holds nothing.
 */
export function createLocalPeer<S extends DescService>(
  service: S,
  routes: (router: ConnectRouter) => void,
  reasons: ReasonTable,
): Client<S> {
  const transport = createRouterTransport(routes, {
    router: {
      interceptors: [
        outcomeInterceptor(reasons, () => {}),
        (next) => (request) => {
          const tenant = request.header.get(TENANT_HEADER) ?? "default";
          request.contextValues.set(scopeKey, serviceScope(tenant));
          return next(request);
        },
      ],
    },
  });
  return createClient(service, transport);
}
