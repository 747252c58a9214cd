import { type ListPage, type ListRequest, readList } from "#kit/list/read-list.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { Transaction } from "../domain/transaction.ts";
import type { GatewayDeps } from "./deps.ts";
import { TRANSACTION_LIST } from "./lists.ts";
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

/** One page of the book, in order of the authorisation key. Fails with INVALID_PAGE_TOKEN and INVALID_FIELD. */
export async function readBookPage(
  deps: GatewayDeps,
  scope: Scope,
  request: ListRequest,
): Promise<ListPage<Transaction>> {
  return readList(TRANSACTION_LIST, scope, request, {
    find: (query) => deps.book.listTransactions(scope, query),
    positionOf: ({ authorizationKey }) => [authorizationKey],
  });
}
