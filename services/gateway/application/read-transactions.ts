import { pageSize, pageToken, readPageToken } from "#kit/page.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { Transaction } from "../domain/transaction.ts";
import type { GatewayDeps } from "./deps.ts";
import { refuse } from "./refusals.ts";

/** The transaction as it is now. Fails with GATEWAY_TRANSACTION_NOT_FOUND. */
export async function getTransaction(
  deps: GatewayDeps,
  scope: Scope,
  authorizationKey: string,
): Promise<Transaction> {
  const found = await deps.book.findTransaction(scope, authorizationKey);
  if (found === undefined) throw refuse("GATEWAY_TRANSACTION_NOT_FOUND", authorizationKey);
  return found;
}

/** One page of the book, in order of the authorisation key. */
export async function readBookPage(
  deps: GatewayDeps,
  scope: Scope,
  request: { readonly pageSize: number; readonly pageToken: string },
): Promise<{ readonly transactions: readonly Transaction[]; readonly nextPageToken: string }> {
  const filter = { tenant: scope.tenant };
  const [afterKey = ""] = readPageToken(request.pageToken, filter, 1) ?? [];
  const size = pageSize(request.pageSize);
  // One more than asked for tells whether there is a next page.
  const found = await deps.book.listTransactions(scope, { afterKey, limit: size + 1 });
  const transactions = found.slice(0, size);
  const last = transactions.at(-1);
  const more = found.length > size && last !== undefined;
  return { transactions, nextPageToken: more ? pageToken(filter, [last.authorizationKey]) : "" };
}
