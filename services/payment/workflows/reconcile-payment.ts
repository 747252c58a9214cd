import type { ReconcileWorkflowInput } from "../contract.ts";
import { stepRunner } from "./runner.ts";

/** A callback came for a closed payment: asks the provider by key and gives back what a closed payment must not keep. */
export async function ReconcileWorkflow(
  input: ReconcileWorkflowInput,
): Promise<{ action: string }> {
  const { tenant, paymentId } = input;
  return stepRunner(input).run<{ action: string }>({
    activity: "gateway::reconcile",
    summary: "make the provider's book agree",
    args: { tenant, paymentId },
  });
}
