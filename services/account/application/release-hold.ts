import type { Scope } from "#kit/pure/scope.ts";
import type { Hold } from "../domain/transfer.ts";
import type { AccountDeps } from "./ports.ts";
import { accepted } from "./refuse.ts";

/** Frees a hold, or buries one that was never seen. Refuses a captured one with HOLD_ALREADY_RESOLVED. */
export async function releaseHold(deps: AccountDeps, scope: Scope, holdId: string): Promise<Hold> {
  const outcome = await deps.ledger.submit({ kind: "RELEASE_HOLD", tenant: scope.tenant, holdId });
  const { hold } = accepted(outcome);
  if (hold === undefined) throw new Error("a released hold was not answered");
  return hold;
}
