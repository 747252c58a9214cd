import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Claim } from "#kit/idempotency/request.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { AccountDeps } from "../application/ports.ts";

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
