import { uuidv7 } from "#kit/ids.ts";
import { KeyedQueue } from "#kit/keyed-queue.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { CallbackTask, ProviderNews } from "../domain/callback.ts";
import { isSameOperation, type Operation } from "../domain/operation.ts";
import type { Decision, Transaction } from "../domain/transaction.ts";
import { gatewayReasons } from "../reasons.ts";
import type { GatewayDeps } from "./deps.ts";
import { lostAnswer, refuse } from "./refusals.ts";
import { untilDecided } from "./stale.ts";

/** How an operation decides. */
export interface OperationRules {
  readonly decide: (transaction: Transaction) => Decision;
  /** What is made when the authorisation was never seen; without it the call is refused. */
  readonly whenUnseen?: () => Transaction;
  /** What the merchant is told of it, where it did not ask for it and the operation has an effect. */
  readonly news?: (before: Transaction, after: Transaction) => ProviderNews;
}

/** Many refunds of one authorisation at once would overtake each other's decisions for seconds. */
const turns = new KeyedQueue();

/**
 * Runs an operation once per key and answers the transaction as it is. A definite refusal is kept under the key too:
 * a caller who was told no has acted on it, so the same call must never take effect later.
 */
export async function operate(
  deps: GatewayDeps,
  scope: Scope,
  operation: Operation,
  rules: OperationRules,
): Promise<Transaction> {
  const attempt = async (): Promise<Transaction | undefined> => {
    const known = await deps.book.findOperation(scope, operation.key);
    // Read after the operation: a transaction that was read before it could lack its effect.
    const seen = await deps.book.findTransaction(scope, operation.authorizationKey);
    if (known !== undefined) {
      if (!isSameOperation(known, operation)) throw refuse("IDEMPOTENCY_KEY_REUSED", operation.key);
      if (known.refusal !== null) throw refuse(known.refusal, operation.authorizationKey);
      return seen;
    }
    return decideAndRecord(deps, scope, operation, rules, seen);
  };
  return turns.run(`${scope.tenant} ${operation.authorizationKey}`, () => untilDecided(attempt));
}

function newsTask(authorizationKey: string, news: ProviderNews): CallbackTask {
  const sendings = [{ event: 0, forged: false, eventId: `evt_${uuidv7(news.time.getTime())}` }];
  return { authorizationKey, sendings, sentCount: 0, attempts: 0, firstDueTime: news.time, news };
}

/** Undefined when the decision was overtaken. */
async function decideAndRecord(
  deps: GatewayDeps,
  scope: Scope,
  operation: Operation,
  rules: OperationRules,
  before: Transaction | undefined,
): Promise<Transaction | undefined> {
  const { authorizationKey } = operation;
  const made = before === undefined ? rules.whenUnseen?.() : undefined;
  const current = before ?? made;
  if (current === undefined) throw refuse("GATEWAY_TRANSACTION_NOT_FOUND", authorizationKey);
  const decision = rules.decide(current);
  const refusal = decision.ok ? null : decision.reason;
  if (refusal !== null && gatewayReasons[refusal].retryable)
    throw refuse(refusal, authorizationKey);
  const after = decision.ok ? decision.value : current;
  const news = after === current ? undefined : rules.news?.(current, after);
  const written = await deps.book.recordOperation(scope, {
    operation: { ...operation, refusal },
    before,
    after,
    now: deps.now(),
    ...(news && { task: newsTask(authorizationKey, news) }),
  });
  if (written === undefined) return undefined;
  // The book is written; only the answer is lost, and only this first one of the operation.
  if (written.dropsAnswers) throw lostAnswer(authorizationKey);
  if (refusal !== null) throw refuse(refusal, authorizationKey);
  return written;
}
