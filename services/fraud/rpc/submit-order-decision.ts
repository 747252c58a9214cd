import { create } from "@bufbuild/protobuf";
import {
  SubmitOrderDecisionRequestSchema,
  SubmitOrderDecisionResponseSchema,
} from "#gen/fraud/v1/fraud_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import { refuseField } from "#kit/refusal.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { submitDecision as decide } from "../application/submit-decision.ts";
import { fraudReasons } from "../reasons.ts";
import { checkMessage } from "./mapping.ts";
import type { FraudHandlers, FraudRpcDeps } from "./router.ts";

export function submitOrderDecision(
  deps: FraudRpcDeps,
): Pick<FraudHandlers, "submitOrderDecision"> {
  return {
    submitOrderDecision(request, context) {
      const scope = scopeOf(context);
      const { orderId, isValid } = request;
      // The source system took a missing answer for a rejection; here it decides nothing.
      if (isValid === undefined) throw refuseField("is_valid", "is required");
      const claim = {
        method: "fraud.v1.FraudService/SubmitOrderDecision",
        requestId: request.requestId,
        requestHash: requestHash(SubmitOrderDecisionRequestSchema, request),
        responseSchema: SubmitOrderDecisionResponseSchema,
        reasons: fraudReasons,
      };
      return deps.once(scope, claim, async ({ id }) => {
        const decision = isValid ? "PASS" : "FAIL";
        const verdict = { decision, actor: scope.subject, note: "", callId: id } as const;
        const check = await decide(deps, scope, { paymentId: orderId }, verdict);
        return create(SubmitOrderDecisionResponseSchema, { check: checkMessage(check) });
      });
    },
  };
}
