import { create } from "@bufbuild/protobuf";
import {
  UpdateEndpointRequestSchema,
  UpdateEndpointResponseSchema,
} from "#gen/notification/v1/webhook_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { updateEndpoint as replaceEndpoint } from "../application/webhooks/endpoints.ts";
import { notificationReasons } from "../reasons.ts";
import type { WebhookHandlers, WebhookRpcDeps } from "./deps.ts";
import { endpointMessage, toEnabled } from "./webhook-mapping.ts";

export function updateEndpoint(deps: WebhookRpcDeps): Pick<WebhookHandlers, "updateEndpoint"> {
  return {
    updateEndpoint(request, context) {
      const scope = scopeOf(context);
      const claim = {
        method: "notification.v1.WebhookService/UpdateEndpoint",
        requestId: request.requestId,
        requestHash: requestHash(UpdateEndpointRequestSchema, request),
        responseSchema: UpdateEndpointResponseSchema,
        reasons: notificationReasons,
      };
      return deps.once(scope, claim, async ({ id }) => {
        const { endpointId, etag, url, eventTypes, description } = request;
        const call = { endpointId, etag, callId: id };
        const fields = { url, eventTypes, description, enabled: toEnabled(request.state) };
        const endpoint = await replaceEndpoint(deps, scope, call, fields);
        return create(UpdateEndpointResponseSchema, { endpoint: endpointMessage(endpoint) });
      });
    },
  };
}
