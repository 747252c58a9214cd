import { create } from "@bufbuild/protobuf";
import {
  DeleteEndpointRequestSchema,
  DeleteEndpointResponseSchema,
} from "#gen/notification/v1/webhook_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { deleteEndpoint as removeEndpoint } from "../application/webhooks/endpoints.ts";
import { notificationReasons } from "../reasons.ts";
import type { WebhookHandlers, WebhookRpcDeps } from "./deps.ts";

export function deleteEndpoint(deps: WebhookRpcDeps): Pick<WebhookHandlers, "deleteEndpoint"> {
  return {
    deleteEndpoint(request, context) {
      const scope = scopeOf(context);
      const claim = {
        method: "notification.v1.WebhookService/DeleteEndpoint",
        requestId: request.requestId,
        requestHash: requestHash(DeleteEndpointRequestSchema, request),
        responseSchema: DeleteEndpointResponseSchema,
        reasons: notificationReasons,
      };
      return deps.once(scope, claim, async ({ id }) => {
        const { endpointId, etag } = request;
        await removeEndpoint(deps, scope, { endpointId, etag, callId: id });
        return create(DeleteEndpointResponseSchema);
      });
    },
  };
}
