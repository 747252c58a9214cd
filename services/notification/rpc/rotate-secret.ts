import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  RotateSecretRequestSchema,
  RotateSecretResponseSchema,
} from "#gen/notification/v1/webhook_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { rotateSecret as makeSecret } from "../application/webhooks/endpoints.ts";
import { notificationReasons } from "../reasons.ts";
import type { WebhookHandlers, WebhookRpcDeps } from "./deps.ts";
import { endpointMessage } from "./webhook-mapping.ts";

export function rotateSecret(deps: WebhookRpcDeps): Pick<WebhookHandlers, "rotateSecret"> {
  return {
    rotateSecret(request, context) {
      const scope = scopeOf(context);
      const claim = {
        method: "notification.v1.WebhookService/RotateSecret",
        requestId: request.requestId,
        requestHash: requestHash(RotateSecretRequestSchema, request),
        responseSchema: RotateSecretResponseSchema,
        reasons: notificationReasons,
        sealer: deps.sealer,
      };
      return deps.once(scope, claim, async ({ id }) => {
        const { endpointId, etag, overlap } = request;
        const call = { endpointId, etag, callId: id };
        const overlapMs = overlap && durationMs(overlap);
        const { endpoint, secret } = await makeSecret(deps, scope, call, overlapMs);
        return create(RotateSecretResponseSchema, { endpoint: endpointMessage(endpoint), secret });
      });
    },
  };
}
