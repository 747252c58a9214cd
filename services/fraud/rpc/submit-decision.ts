import { create } from "@bufbuild/protobuf";
import {
  FraudDecision,
  type SubmitDecisionRequest,
  SubmitDecisionRequestSchema,
  SubmitDecisionResponseSchema,
} from "#gen/fraud/v1/fraud_pb.ts";
import { requestHash } from "#kit/idempotency/request.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal, refuseField } from "#kit/refusal.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { submitDecision as decide, type Which } from "../application/submit-decision.ts";
import { fraudReasons } from "../reasons.ts";
import { checkMessage } from "./mapping.ts";
import type { FraudHandlers, FraudRpcDeps } from "./router.ts";

export function submitDecision(deps: FraudRpcDeps): Pick<FraudHandlers, "submitDecision"> {
  return {
    submitDecision(request, context) {
      const scope = scopeOf(context);
      const which = toWhich(request);
      const decision = toVerdictDecision(request.decision);
      const actor = actorOf(scope, request.actor);
      const claim = {
        method: "fraud.v1.FraudService/SubmitDecision",
        requestId: request.requestId,
        requestHash: requestHash(SubmitDecisionRequestSchema, request),
        responseSchema: SubmitDecisionResponseSchema,
        reasons: fraudReasons,
      };
      return deps.once(scope, claim, async ({ id }) => {
        const verdict = { decision, actor, note: request.note, callId: id };
        const check = await decide(deps, scope, which, verdict);
        return create(SubmitDecisionResponseSchema, { check: checkMessage(check) });
      });
    },
  };
}

/** Only a service decides for somebody else, whom it has authenticated; anybody else signs with its own name. */
function actorOf(scope: Scope, named: string): string {
  if (named === "" || named === scope.subject) return scope.subject;
  if (scope.roles.includes("service")) return named;
  const description = `must be empty or ${scope.subject}: only role service may name another`;
  throw new Refusal("ROLE_MISSING", {
    message: `actor: ${description}`,
    fields: [{ field: "actor", description }],
  });
}

function toWhich({ subject }: SubmitDecisionRequest): Which {
  if (subject.case === "checkId") return { checkId: subject.value };
  if (subject.case === "paymentId") return { paymentId: subject.value };
  throw refuseField("check_id", "check_id or payment_id is required");
}

function toVerdictDecision(decision: FraudDecision): "PASS" | "FAIL" {
  if (decision === FraudDecision.PASS) return "PASS";
  if (decision === FraudDecision.FAIL) return "FAIL";
  throw refuseField("decision", "must be FRAUD_DECISION_PASS or FRAUD_DECISION_FAIL");
}
