import { runStep } from "#kit/workflow/step.ts";
import { PAYMENT_TASK_QUEUE, type ReconcileWorkflowInput } from "../contract.ts";

/** A callback came for a closed payment: asks the provider by key and gives back what a closed payment must not keep. */
export async function ReconcileWorkflow(
  input: ReconcileWorkflowInput,
): Promise<{ action: string }> {
  const { tenant, paymentId, policy } = input;
  return runStep<{ action: string }>(
    policy.steps,
    {
      activity: "gateway::reconcile",
      taskQueue: PAYMENT_TASK_QUEUE,
      summary: "make the provider's book agree",
    },
    { tenant, paymentId },
  );
}
