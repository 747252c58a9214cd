import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import { type Check, decideCheck, type Verdict } from "../domain/check.ts";
import { tallyName, tallyRef } from "../domain/tally.ts";
import type { FraudDeps } from "./deps.ts";
import { checkNotFound } from "./read-checks.ts";

/** Which check is decided. */
export type Which = { readonly checkId: string } | { readonly paymentId: string };

/**
 * Stores a person's decision on a check in REVIEW, then wakes the payment's workflow up. The stored decision is the
 * truth: when the signal is lost, the workflow finds it by itself. Fails with CHECK_NOT_FOUND and
 * CHECK_ALREADY_DECIDED; a repeat with the same `callId` answers its own decision again.
 */
export async function submitDecision(
  deps: FraudDeps,
  scope: Scope,
  which: Which,
  verdict: Verdict,
): Promise<Check> {
  const checkId =
    "checkId" in which ? which.checkId : await checkIdOf(deps, scope, which.paymentId);
  const check = await store(deps, scope, checkId, verdict);
  if (check.subject !== undefined) {
    await deps.signalDecision(check.subject.paymentId, check.decision === "PASS");
  }
  return check;
}

function store(deps: FraudDeps, scope: Scope, checkId: string, verdict: Verdict): Promise<Check> {
  return deps.store.transact(scope, async (transaction) => {
    const stored = (await transaction.checks([checkId])).get(checkId);
    if (stored === undefined) throw checkNotFound({ check_id: checkId });
    const ref = stored.subject && tallyRef(stored.subject);
    const tallies = await transaction.tallies(ref ? [ref] : []);
    const tally = (ref && tallies.get(tallyName(ref))) ?? 0n;
    const decided = decideCheck(stored, verdict, tally, deps.clock());
    if (!decided.ok) throw alreadyDecided(decided.reason, stored);
    const { check, tallyDelta } = decided.value;
    if (check === stored) return stored;
    const tallyMoves = ref === undefined || tallyDelta === 0n ? [] : [{ ref, delta: tallyDelta }];
    await transaction.write({ inserted: [], updated: [check], tallyMoves });
    return check;
  });
}

async function checkIdOf(deps: FraudDeps, scope: Scope, paymentId: string): Promise<string> {
  const check = await deps.store.findCheckOfPayment(scope, paymentId);
  if (check === undefined) throw checkNotFound({ payment_id: paymentId });
  return check.id;
}

function alreadyDecided(reason: string, check: Check): Refusal {
  return new Refusal(reason, {
    message: `Check ${check.id} is ${check.decision} already; its first decision is kept.`,
    metadata: { check_id: check.id, decision: check.decision },
  });
}
