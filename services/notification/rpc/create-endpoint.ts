import { create } from "@bufbuild/protobuf";
import {
  CreateEndpointRequestSchema,
  CreateEndpointResponseSchema,
} from "#gen/notification/v1/webhook_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { createEndpoint as addEndpoint } from "../application/webhooks/endpoints.ts";
import { notificationReasons } from "../reasons.ts";
import type { WebhookHandlers, WebhookRpcDeps } from "./deps.ts";
import { endpointMessage } from "./webhook-mapping.ts";

export function createEndpoint(deps: WebhookRpcDeps): Pick<WebhookHandlers, "createEndpoint"> {
  return {
    createEndpoint(request, context) {
      const scope = scopeOf(context);
      const claim = {
        method: "notification.v1.WebhookService/CreateEndpoint",
        requestId: request.requestId,
        requestHash: requestHash(CreateEndpointRequestSchema, request),
        responseSchema: CreateEndpointResponseSchema,
        reasons: notificationReasons,
        sealer: deps.sealer,
      };
      return deps.once(scope, claim, async ({ id }) => {
        const { url, eventTypes, description } = request;
        const fields = { url, eventTypes, description };
        const { endpoint, secret } = await addEndpoint(deps, scope, fields, id);
        const answer = { endpoint: endpointMessage(endpoint), secret };
        return create(CreateEndpointResponseSchema, answer);
      });
    },
  };
}
