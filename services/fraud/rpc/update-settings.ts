import { create } from "@bufbuild/protobuf";
import {
  UpdateSettingsRequestSchema,
  UpdateSettingsResponseSchema,
} from "#gen/fraud/v1/fraud_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { refuseField } from "#kit/refusal.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { updateSettings as replaceSettings } from "../application/settings.ts";
import { fraudReasons } from "../reasons.ts";
import { settingsMessage, toSettings } from "./mapping.ts";
import type { FraudHandlers, FraudRpcDeps } from "./router.ts";

export function updateSettings(deps: FraudRpcDeps): Pick<FraudHandlers, "updateSettings"> {
  return {
    async updateSettings(request, context) {
      if (request.settings === undefined) throw refuseField("settings", "is required");
      const { etag } = request.settings;
      const settings = toSettings(request.settings);
      const scope = scopeOf(context);
      const claim = {
        method: "fraud.v1.FraudService/UpdateSettings",
        requestId: request.requestId,
        requestHash: requestHash(UpdateSettingsRequestSchema, request),
        responseSchema: UpdateSettingsResponseSchema,
        reasons: fraudReasons,
      };
      return deps.once(scope, claim, async ({ id }) => {
        const current = await replaceSettings(deps, scope, { settings, etag, callId: id });
        return create(UpdateSettingsResponseSchema, { settings: settingsMessage(current) });
      });
    },
  };
}
