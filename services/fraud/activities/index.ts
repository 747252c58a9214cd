import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { Context } from "@temporalio/activity";
import type { Check } from "#gen/fraud/v1/fraud_pb.ts";
import { FraudDecision, type FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { assert } from "#kit/pure/assert.ts";
import { parseMoneyText } from "#kit/pure/money.ts";
import { onBehalfOf, PEER_TIMEOUT_MS } from "#kit/rpc/client.ts";
import { callPeer } from "#kit/temporal/failure.ts";
import type { FraudActivities, StoredDecision } from "../contract.ts";

/** What Fraud's activities call. */
export interface FraudActivityDeps {
  /** Over the wire, or in process inside Fraud itself. */
  readonly fraud: Pick<Client<typeof FraudService>, "evaluate" | "release" | "getCheck">;
}

/** Fraud's activities for any worker; see `FraudActivities`. */
export function createFraudActivities({ fraud }: FraudActivityDeps): FraudActivities {
  return {
    "fraud::evaluate": ({ tenant, checkId, paymentId, accountId, amount }) =>
      callPeer(async () => {
        const request = { checkId, paymentId, accountId, amount: parseMoneyText(amount) };
        const check = present(await fraud.evaluate(request, callOptions(tenant)));
        return { ...outcome(check), createTimeMs: createTimeMs(check) };
      }),
    "fraud::release": ({ tenant, checkId }) =>
      callPeer(async () => {
        await fraud.release({ checkId }, callOptions(tenant));
        return {};
      }),
    "fraud::get-decision": ({ tenant, checkId }) =>
      callPeer(async () =>
        outcome(present(await fraud.getCheck({ checkId }, callOptions(tenant)))),
      ),
  };
}

/** The call ends with its activity: an answer that comes later would be for nobody. */
function callOptions(tenant: string): ReturnType<typeof onBehalfOf> {
  const { cancellationSignal, info } = Context.current();
  const timeoutMs = Math.min(info.startToCloseTimeoutMs || PEER_TIMEOUT_MS, PEER_TIMEOUT_MS);
  return onBehalfOf({ tenant }, { timeoutMs, signal: cancellationSignal });
}

function present({ check }: { readonly check?: Check | undefined }): Check {
  assert(check !== undefined, "fraud answers with a check");
  return check;
}

function outcome(check: Check): { decision: StoredDecision; rules: readonly string[] } {
  return { decision: decisionText(check.decision), rules: check.rules };
}

function createTimeMs(check: Check): number {
  assert(check.createTime !== undefined, "a check has a create time");
  return timestampMs(check.createTime);
}

/** A decision this build does not know must never pass a payment. */
function decisionText(decision: FraudDecision): StoredDecision {
  if (decision === FraudDecision.PASS) return "PASS";
  if (decision === FraudDecision.REVIEW) return "REVIEW";
  assert(decision === FraudDecision.FAIL, `fraud decision ${decision} is not known`);
  return "FAIL";
}
