import { uuidv7 } from "#kit/ids.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import { type Method, openingOf, type Upcoming } from "../domain/behaviour.ts";
import type { CallbackTask } from "../domain/callback.ts";
import {
  isSameOrder,
  newTransaction,
  type Order,
  type Transaction,
} from "../domain/transaction.ts";
import type { GatewayDeps } from "./deps.ts";
import { lostAnswer, refuse } from "./refusals.ts";
import { untilDecided } from "./stale.ts";

/** A call of Authorize. */
export interface AuthorizeInput {
  readonly authorizationKey: string;
  readonly order: Order;
  readonly method: Method;
}

/**
 * Asks for an authorisation, once per key; a repeat answers the transaction as it is now. `signal` fires when the
 * caller has given up, which is the only end of a HANG.
 */
export async function authorize(
  deps: GatewayDeps,
  scope: Scope,
  input: AuthorizeInput,
  signal: AbortSignal,
): Promise<Transaction> {
  const { transaction, isNew } = await untilDecided(async () => {
    const seen = await deps.book.findTransaction(scope, input.authorizationKey);
    const now = seen === undefined ? await begin(deps, scope, input, signal) : undefined;
    if (now !== undefined) return { transaction: now, isNew: true };
    const known = seen && (await answerKnown(deps, scope, input, seen));
    return known && { transaction: known, isNew: false };
  });
  // The book is written; only the answer is lost, and only this first one.
  if (isNew && transaction.dropsAnswers) throw lostAnswer(input.authorizationKey);
  return transaction;
}

/** The answer to a key with a history, or undefined when it changed meanwhile. */
async function answerKnown(
  deps: GatewayDeps,
  scope: Scope,
  { authorizationKey, order }: AuthorizeInput,
  seen: Transaction,
): Promise<Transaction | undefined> {
  if (seen.order === null) {
    // Voided before it came: it is noted what was asked for, and nothing takes effect any more.
    const filled = await deps.book.fillTombstone(scope, seen, order);
    return filled ? { ...seen, order } : undefined;
  }
  if (!isSameOrder(seen.order, order)) throw refuse("IDEMPOTENCY_KEY_REUSED", authorizationKey);
  return seen;
}

/** Writes the first row of a key, or returns undefined when another call did. */
async function begin(
  deps: GatewayDeps,
  scope: Scope,
  input: AuthorizeInput,
  signal: AbortSignal,
): Promise<Transaction | undefined> {
  const { authorizationKey, order, method } = input;
  if (method.kind === "mock") await misbehave(deps, scope, authorizationKey, method, signal);
  const now = deps.now();
  const opening = openingOf(method, deps.config);
  const gatewayReference = `gw_${uuidv7(now.getTime())}`;
  const beginning = { authorizationKey, gatewayReference, now };
  const transaction = newTransaction(beginning, order, opening.transaction);
  const task = opening.upcoming ? newTask(authorizationKey, opening.upcoming, now) : undefined;
  const inserted = await deps.book.insertTransaction(scope, transaction, task);
  return inserted ? transaction : undefined;
}

/** The behaviours that keep a call from reaching the book. */
async function misbehave(
  deps: GatewayDeps,
  scope: Scope,
  authorizationKey: string,
  method: Extract<Method, { kind: "mock" }>,
  signal: AbortSignal,
): Promise<void> {
  if (method.behaviour === "HANG") await hang(deps, signal);
  if (method.behaviour !== "FLAKY") return;
  const attempt = await deps.book.countAttempt(scope, authorizationKey);
  if (attempt <= method.flakyAttempts) throw refuse("GATEWAY_UNAVAILABLE", authorizationKey);
}

async function hang(deps: GatewayDeps, signal: AbortSignal): Promise<never> {
  const end = AbortSignal.any([signal, deps.closing]);
  if (!end.aborted) {
    await new Promise<void>((resolve) => {
      end.addEventListener("abort", () => resolve(), { once: true });
    });
  }
  throw signal.aborted ? signal.reason : new Refusal("SHUTTING_DOWN");
}

function newTask(authorizationKey: string, upcoming: Upcoming, now: Date): CallbackTask {
  const eventIds = new Map<number, string>();
  const eventId = (event: number): string => {
    const known = eventIds.get(event) ?? `evt_${uuidv7(now.getTime())}`;
    eventIds.set(event, known);
    return known;
  };
  return {
    authorizationKey,
    sendings: upcoming.sendings.map((sending) => ({ ...sending, eventId: eventId(sending.event) })),
    sentCount: 0,
    attempts: 0,
    firstDueTime: new Date(now.getTime() + upcoming.delayMs),
  };
}
