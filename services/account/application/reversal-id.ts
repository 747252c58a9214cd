import { createHash } from "node:crypto";
import { REVERSAL_SUFFIX } from "../domain/transfer.ts";

/** Longest id a transaction may have, the suffix included. */
const ID_LENGTH_MAX = 128;

/** The id of the transfer that undoes this one; a digest stands for an id that leaves no room for the suffix. */
export function reversalIdOf(transactionId: string): string {
  const named = `${transactionId}${REVERSAL_SUFFIX}`;
  if (named.length <= ID_LENGTH_MAX) return named;
  return createHash("sha256").update(transactionId).digest("hex") + REVERSAL_SUFFIX;
}
