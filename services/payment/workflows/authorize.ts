import { CancellationScope, condition, isCancellation } from "@temporalio/workflow";
import { rendezvous } from "#kit/workflow/rendezvous.ts";
import type { AuthorizeOutcome, GatewayCallback, PaymentWorkflowInput } from "../contract.ts";
import { checkFraud, type FraudVerdict } from "./check-fraud.ts";
import type { PaymentState } from "./state.ts";
import type { Meet, PaymentSteps } from "./steps.ts";
import { goOnIfOpen, Stopped } from "./stopped.ts";

/** What both sides have said so far. */
interface Answers {
  fraud?: FraudVerdict;
  gateway?: "AUTHORIZED";
  /** A definite no of one side, or a failure that is a bug; ends the waiting. */
  error?: unknown;
  /** Both branches, to be over before anything is undone. */
  readonly branches: Promise<void>[];
}

/**
 * Asks the provider and Fraud at the same time and returns when both said yes. Throws `Stopped` at the first definite
 * no; the scope around it is cancelled then, and with it whatever still runs.
 */
export async function authorizeAndCheck(
  input: PaymentWorkflowInput,
  steps: PaymentSteps,
  state: PaymentState,
): Promise<void> {
  const gatewayStartMs = input.resume?.gatewayStartMs ?? Date.now();
  const answers: Answers = { branches: [] };
  const both = new CancellationScope();
  // Inline, both sides are local tries side by side; a child is told of by the history and needs no meeting.
  const meet = input.policy.fraudMode === "inline" ? rendezvous(2) : undefined;
  try {
    await both.run(async () => {
      state.step = "fraud-check";
      collect(answers, checkFraud(input, steps, state, meet), (verdict) => {
        answers.fraud = verdict;
        if (verdict === "FAIL")
          throw new Stopped("FRAUD_REJECTED", "the fraud check rejected the payment");
        if (verdict === "EXPIRED")
          throw new Stopped("FRAUD_REVIEW_EXPIRED", "nobody decided the review in time");
      });
      await awaitGateway(input, steps, state, answers, { gatewayStartMs, meet });
      await awaitFraud(input, steps, state, answers);
    });
  } finally {
    both.cancel();
    // A local try cannot be cancelled; its void must not overtake it.
    await Promise.all(answers.branches);
  }
}

/**
 * Keeps what a branch answers or fails with, so that neither side's error is lost while the other is awaited. That a branch was
 * cancelled is no answer: the provider's is cancelled once its callback is there, and a cancel of the payment ends the waiting itself.
 */
function collect<T>(answers: Answers, branch: Promise<T>, onAnswer: (answer: T) => void): void {
  const over = branch.then(onAnswer).catch((error: unknown) => {
    if (!isCancellation(error)) answers.error ??= error;
  });
  answers.branches.push(over);
}

async function awaitGateway(
  input: PaymentWorkflowInput,
  steps: PaymentSteps,
  state: PaymentState,
  answers: Answers,
  { gatewayStartMs, meet }: { readonly gatewayStartMs: number; readonly meet: Meet | undefined },
): Promise<void> {
  const asking = new CancellationScope();
  const asked = { quick: input.policy.steps.mode === "regular" };
  const settleQuickly = (): void => {
    asked.quick = true;
  };
  collect(
    answers,
    asking.run(() => steps.authorize(gatewayStartMs, settleQuickly, meet)),
    (answer) => {
      settleQuickly();
      acceptAnswer(answers, answer);
    },
  );
  const answered = (): boolean => {
    if (answers.gateway === undefined && state.callback) acceptCallback(answers, state.callback);
    return answers.gateway !== undefined || answers.error !== undefined;
  };
  // The local try is short and needs no timer; one is started only when it did not bring the answer.
  await condition(() => asked.quick || answered());
  if (!answered()) {
    state.step = "gateway";
    const left = gatewayStartMs + input.policy.callbackTimeoutMs - Date.now();
    const inTime = await condition(answered, Math.max(1, left));
    asking.cancel();
    if (!inTime) acceptLast(answers, await steps.queryGateway());
  }
  asking.cancel();
  if (answers.error !== undefined) throw answers.error;
}

function acceptAnswer(answers: Answers, answer: AuthorizeOutcome): void {
  switch (answer.outcome) {
    case "AUTHORIZED":
      answers.gateway = "AUTHORIZED";
      return;
    case "DECLINED":
      throw new Stopped("GATEWAY_DECLINED", answer.message);
    case "VOIDED":
      throw new Stopped("GATEWAY_DECLINED", "the provider voided the authorisation");
    case "PENDING":
    case "UNKNOWN":
      return;
  }
}

function acceptCallback(answers: Answers, callback: GatewayCallback): void {
  if (callback.outcome === "AUTHORIZED") answers.gateway = "AUTHORIZED";
  else answers.error ??= new Stopped("GATEWAY_DECLINED", callback.reason);
}

/** The deadline passed: an authorisation counts like its callback, anything else is undone. */
function acceptLast(answers: Answers, answer: AuthorizeOutcome): void {
  if (answer.outcome === "AUTHORIZED") answers.gateway = "AUTHORIZED";
  else if (answer.outcome === "DECLINED") throw new Stopped("GATEWAY_DECLINED", answer.message);
  else throw new Stopped("GATEWAY_TIMEOUT", "the provider did not answer in time");
}

async function awaitFraud(
  input: PaymentWorkflowInput,
  steps: PaymentSteps,
  state: PaymentState,
  answers: Answers,
): Promise<void> {
  const { reviewTimeoutMs, reviewExpiryMs } = input.policy;
  const startMs = Date.now();
  const answered = (): boolean => answers.fraud !== undefined || answers.error !== undefined;
  const until = (durationMs: number): number =>
    Math.max(1, (state.reviewStartMs ?? startMs) + durationMs - Date.now());
  if (!answered()) {
    state.step = "fraud-check";
    await condition(() => answered() || state.reviewStartMs !== undefined, until(reviewTimeoutMs));
    if (!answered() && state.reviewStartMs !== undefined) {
      const parked = await steps.park(
        "PROCESSING",
        "FRAUD_CHECK",
        "a person must decide the fraud check",
      );
      goOnIfOpen(parked.phase);
      await condition(answered, until(reviewTimeoutMs));
    }
  }
  if (!answered()) {
    const parked = await steps.park(
      "NEEDS_REVIEW",
      "FRAUD_CHECK",
      "nobody has decided the fraud check yet",
    );
    goOnIfOpen(parked.phase);
    // The child ends by itself at its expiry; this timer is for a child that is gone.
    if (!(await condition(answered, until(reviewExpiryMs)))) {
      throw new Stopped("FRAUD_REVIEW_EXPIRED", "nobody decided the review in time");
    }
  }
  if (answers.error !== undefined) throw answers.error;
}
