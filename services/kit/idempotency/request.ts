import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Binary, type Collection, type Db } from "mongodb";
import { uuidv7 } from "../ids.ts";
import { commonReasons, type ReasonTable, type StatusName } from "../pure/reasons.ts";
import type { Scope } from "../pure/scope.ts";
import { Refusal } from "../refusal.ts";
import type { Sealer } from "../seal.ts";
import {
  finishClaim,
  insertClaim,
  type Outcome,
  type RequestRow,
  requestRows,
  type StoredRefusal,
  takeOver,
} from "./claims.ts";
import { requestKey } from "./request-key.ts";

export { requestHash } from "./hash.ts";
export { requestsMigrations, requestsRetention } from "./migration.ts";

/** What a repeated call must have in common with the first. */
export interface Claim<Res extends DescMessage> {
  /** Full method name, for example `payment.v1.PaymentService/Cancel`. */
  readonly method: string;
  /** The caller's request_id; empty means the server makes one and a repeat is a new call. */
  readonly requestId: string;
  /** SHA-256 of the canonical request; see `requestHash`. */
  readonly requestHash: string;
  readonly responseSchema: Res;
  /** The service's own reasons, which say what is retryable; the common ones are added. */
  readonly reasons: ReasonTable;
  /** Given where the answer holds a secret: it is stored sealed. */
  readonly sealer?: Sealer;
  /** The present; tests move it. */
  readonly clock?: () => Date;
}

/**
 * Runs a mutation once per (tenant, subject, method, request_id) and answers every repeat with the first answer.
 *
 * A claim is a lease of 30 s: a caller who comes later than that takes it over and runs again with the same
 * `id`, so `run` must have its effect once per `id`. Stored are answers and refusals that are not retryable;
 * anything else frees the claim. Fails with REQUEST_ID_REUSED (another body) and REQUEST_IN_PROGRESS (the first
 * call still runs, or this call lost its lease to one that does).
 */
export async function once<Res extends DescMessage>(
  db: Db,
  scope: Scope,
  claim: Claim<Res>,
  run: (call: { readonly requestId: string; readonly id: string }) => Promise<MessageShape<Res>>,
): Promise<MessageShape<Res>> {
  // Nobody can repeat an id they do not know, so there is nothing to keep.
  if (claim.requestId === "") return run({ requestId: uuidv7(), id: uuidv7() });
  const rows = requestRows(db);
  const held = await claimOrAnswer(rows, claim, await requestKey(db, scope, claim));
  if ("answer" in held) return held.answer;
  return runHeld(rows, claim, held.row, run);
}

type Held<Res extends DescMessage> =
  | { readonly answer: MessageShape<Res> }
  | { readonly row: RequestRow };

/** Races for one claim are lost only to a caller who moved the row on, so a few tries are plenty. */
const CLAIM_TRIES_MAX = 5;
/** Waiting for a whole lease would be far too long for a call that ends in milliseconds. */
const RETRY_AFTER_MAX_MS = 1_000;

async function claimOrAnswer<Res extends DescMessage>(
  rows: Collection<RequestRow>,
  claim: Claim<Res>,
  id: RequestRow["_id"],
): Promise<Held<Res>> {
  const { requestId } = claim;
  for (let tries = 0; tries < CLAIM_TRIES_MAX; tries += 1) {
    const inserted = await insertClaim(rows, id, claim.requestHash, now(claim));
    if (inserted !== undefined) return { row: inserted };
    const seen = await rows.findOne({ _id: id });
    // An insert that was refused for a row which a majority read does not show yet: try again.
    if (seen === null) continue;
    if (seen.hash !== claim.requestHash) throw reused(requestId);
    const answer = storedAnswer(claim, seen);
    if (answer !== undefined) return { answer };
    const leftMs = seen.leaseTime.getTime() - now(claim).getTime();
    if (seen.state === "RUNNING" && leftMs > 0) throw inProgress(requestId, leftMs);
    const taken = await takeOver(rows, seen, now(claim));
    if (taken !== undefined) return { row: taken };
  }
  throw inProgress(requestId, RETRY_AFTER_MAX_MS);
}

async function runHeld<Res extends DescMessage>(
  rows: Collection<RequestRow>,
  claim: Claim<Res>,
  held: RequestRow,
  run: (call: { readonly requestId: string; readonly id: string }) => Promise<MessageShape<Res>>,
): Promise<MessageShape<Res>> {
  let answer: MessageShape<Res>;
  try {
    answer = await run({ requestId: claim.requestId, id: held.id });
  } catch (error) {
    const refusal = keptRefusal(claim.reasons, error);
    if (refusal === undefined) {
      // When the claim cannot be freed its lease runs out: the caller must see what really went wrong.
      await finishClaim(rows, held, { state: "FREE" }, now(claim)).catch(() => false);
      throw error;
    }
    return finish(rows, claim, held, { state: "REFUSED", refusal });
  }
  const bytes = toBinary(claim.responseSchema, answer);
  const stored = new Binary(claim.sealer?.seal(bytes, placeOf(held)) ?? bytes);
  return finish(rows, claim, held, { state: "ANSWERED", answer: stored });
}

/** What was stored is the answer: a call whose lease was taken over answers what the other one stored. */
async function finish<Res extends DescMessage>(
  rows: Collection<RequestRow>,
  claim: Claim<Res>,
  held: RequestRow,
  outcome: Outcome,
): Promise<MessageShape<Res>> {
  const mine = await finishClaim(rows, held, outcome, now(claim));
  const row = mine ? { ...held, ...outcome } : await rows.findOne({ _id: held._id });
  const answer = row === null ? undefined : storedAnswer(claim, row);
  if (answer === undefined) throw inProgress(claim.requestId, RETRY_AFTER_MAX_MS);
  return answer;
}

/** The stored answer; throws a stored refusal; undefined while there is neither. */
function storedAnswer<Res extends DescMessage>(
  claim: Claim<Res>,
  row: RequestRow,
): MessageShape<Res> | undefined {
  if (row.state === "REFUSED" && row.refusal) throw toRefusal(row.refusal);
  if (row.state !== "ANSWERED" || row.answer === undefined) return undefined;
  const stored = row.answer.buffer;
  return fromBinary(claim.responseSchema, claim.sealer?.open(stored, placeOf(row)) ?? stored);
}

/** No answer opens under another request. */
function placeOf({ _id: { tenant, subject, method, requestId } }: RequestRow): string {
  const owner = subject === undefined ? [tenant] : [tenant, subject];
  return JSON.stringify([...owner, method, requestId]);
}

/** Statuses that say something about the business; the others speak of this call, caller or moment. */
const KEPT: ReadonlySet<StatusName> = new Set([
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "FAILED_PRECONDITION",
  "OUT_OF_RANGE",
]);

function keptRefusal(reasons: ReasonTable, error: unknown): StoredRefusal | undefined {
  if (!(error instanceof Refusal)) return undefined;
  const info = reasons[error.reason] ?? (commonReasons as ReasonTable)[error.reason];
  if (info === undefined || info.retryable || !KEPT.has(info.status)) return undefined;
  return {
    reason: error.reason,
    message: error.hasMessage ? error.message : null,
    metadata: Object.entries(error.metadata).map(([key, value]) => ({ key, value })),
    fields: error.fields.map(({ field, description }) => ({ field, description })),
  };
}

function toRefusal(stored: StoredRefusal): Refusal {
  return new Refusal(stored.reason, {
    ...(stored.message === null ? {} : { message: stored.message }),
    metadata: Object.fromEntries(stored.metadata.map(({ key, value }) => [key, value])),
    fields: stored.fields,
  });
}

function reused(requestId: string): Refusal {
  return new Refusal("REQUEST_ID_REUSED", { metadata: { request_id: requestId } });
}

function inProgress(requestId: string, leftMs: number): Refusal {
  return new Refusal("REQUEST_IN_PROGRESS", {
    metadata: { request_id: requestId },
    retryAfterMs: Math.min(leftMs, RETRY_AFTER_MAX_MS),
  });
}

function now(claim: { readonly clock?: () => Date }): Date {
  return claim.clock?.() ?? new Date();
}
