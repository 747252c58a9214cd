import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Claim } from "#kit/idempotency/request.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { PaymentDeps } from "../application/deps.ts";

/** What the RPCs need: the application, and the way a repeat is answered. */
export interface PaymentRpcDeps extends PaymentDeps {
  /** Runs a mutation once per request_id; see `once` of kit/idempotency. */
  readonly once: <Res extends DescMessage>(
    scope: Scope,
    claim: Omit<Claim<Res>, "reasons">,
    run: (call: { readonly requestId: string; readonly id: string }) => Promise<MessageShape<Res>>,
  ) => Promise<MessageShape<Res>>;
}
