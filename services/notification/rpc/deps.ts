import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { WebhookService } from "#gen/notification/v1/webhook_pb.ts";
import type { Claim } from "#kit/idempotency/request.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { WebhookDeps } from "../application/webhooks/deps.ts";

/** What the handlers of WebhookService work with. */
export interface WebhookRpcDeps extends WebhookDeps {
  /** `once` of the idempotency kit, bound to Notification's database. */
  once<Res extends DescMessage>(
    scope: Scope,
    claim: Claim<Res>,
    run: (call: { readonly id: string }) => Promise<MessageShape<Res>>,
  ): Promise<MessageShape<Res>>;
}

/** Handlers of WebhookService, by RPC. */
export type WebhookHandlers = ServiceImpl<typeof WebhookService>;
