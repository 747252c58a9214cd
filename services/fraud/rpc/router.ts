import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import type { Claim } from "#kit/idempotency/request.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { FraudDeps } from "../application/deps.ts";
import type { Evaluate } from "../application/evaluate.ts";
import { evaluate } from "./evaluate.ts";
import { getCheck } from "./get-check.ts";
import { getSettings } from "./get-settings.ts";
import { listChecks } from "./list-checks.ts";
import { release } from "./release.ts";
import { submitDecision } from "./submit-decision.ts";
import { submitOrderDecision } from "./submit-order-decision.ts";
import { updateSettings } from "./update-settings.ts";

/** What the handlers work with. */
export interface FraudRpcDeps extends FraudDeps {
  readonly evaluate: Evaluate;
  /** `once` of the idempotency kit, bound to Fraud's database. */
  once<Res extends DescMessage>(
    scope: Scope,
    claim: Claim<Res>,
    run: (call: { readonly id: string }) => Promise<MessageShape<Res>>,
  ): Promise<MessageShape<Res>>;
}

/** Handlers of one or more RPCs. */
export type FraudHandlers = Partial<ServiceImpl<typeof FraudService>>;

/** Registers FraudService. */
export function fraudRoutes(deps: FraudRpcDeps): (router: ConnectRouter) => void {
  return (router) => {
    router.service(FraudService, {
      ...evaluate(deps),
      ...release(deps),
      ...getCheck(deps),
      ...listChecks(deps),
      ...submitDecision(deps),
      ...submitOrderDecision(deps),
      ...getSettings(deps),
      ...updateSettings(deps),
    });
  };
}
