import { create } from "@bufbuild/protobuf";
import {
  RedeliverRequestSchema,
  RedeliverResponseSchema,
} from "#gen/notification/v1/webhook_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { redeliver as sendAgain } from "../application/webhooks/redeliver.ts";
import { notificationReasons } from "../reasons.ts";
import type { WebhookHandlers, WebhookRpcDeps } from "./deps.ts";
import { deliveryMessage } from "./webhook-mapping.ts";

export function redeliver(deps: WebhookRpcDeps): Pick<WebhookHandlers, "redeliver"> {
  return {
    redeliver(request, context) {
      const scope = scopeOf(context);
      const claim = {
        method: "notification.v1.WebhookService/Redeliver",
        requestId: request.requestId,
        requestHash: requestHash(RedeliverRequestSchema, request),
        responseSchema: RedeliverResponseSchema,
        reasons: notificationReasons,
      };
      return deps.once(scope, claim, async ({ id }) => {
        const delivery = await sendAgain(deps, scope, request.deliveryId, id);
        return create(RedeliverResponseSchema, { delivery: deliveryMessage(delivery) });
      });
    },
  };
}
