import type { Scope } from "#kit/pure/scope.ts";
import { type Check, releaseCheck, tombstone } from "../domain/check.ts";
import { tallyRef } from "../domain/tally.ts";
import type { FraudDeps } from "./deps.ts";

/** Gives a check's share of the tally back, once; a check that was never seen gets a tombstone. */
export function release(deps: FraudDeps, scope: Scope, checkId: string): Promise<Check> {
  return deps.store.transact(scope, async (transaction) => {
    const stored = (await transaction.checks([checkId])).get(checkId);
    if (stored === undefined) {
      const check = tombstone(checkId, deps.clock());
      await transaction.write({ inserted: [check], updated: [], tallyMoves: [] });
      return check;
    }
    const { check, tallyDelta } = releaseCheck(stored, deps.clock());
    if (check === stored) return stored;
    const tallyMoves =
      stored.subject === undefined || tallyDelta === 0n
        ? []
        : [{ ref: tallyRef(stored.subject), delta: tallyDelta }];
    await transaction.write({ inserted: [], updated: [check], tallyMoves });
    return check;
  });
}
