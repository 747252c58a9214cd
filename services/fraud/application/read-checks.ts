import { type ListPage, type ListRequest, readList } from "#kit/list/read-list.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import type { Check, Decision } from "../domain/check.ts";
import type { FraudDeps } from "./deps.ts";
import { CHECK_LIST } from "./lists.ts";

/** Reads one check. Fails with CHECK_NOT_FOUND. */
export async function getCheck(deps: FraudDeps, scope: Scope, checkId: string): Promise<Check> {
  const check = await deps.store.findCheck(scope, checkId);
  if (check === undefined) throw checkNotFound({ check_id: checkId });
  return check;
}

/** Lists checks, newest first. Fails with INVALID_PAGE_TOKEN, and INVALID_FIELD for a filter or order it does not know. */
export async function listChecks(
  deps: FraudDeps,
  scope: Scope,
  request: ListRequest & { readonly decision: Decision | undefined },
): Promise<ListPage<Check>> {
  const { decision } = request;
  return readList(CHECK_LIST, scope, request, {
    fixed: decision === undefined ? [] : [{ field: "decision", operator: "=", value: decision }],
    find: (query) => deps.store.listChecks(scope, query),
    positionOf: ({ createTime, id }) => [createTime, id],
  });
}

/** Refuses with CHECK_NOT_FOUND, naming what was looked for. */
export function checkNotFound(metadata: Readonly<Record<string, string>>): Refusal {
  const named = Object.entries(metadata).map(([name, value]) => `${name} ${value}`);
  return new Refusal("CHECK_NOT_FOUND", {
    message: `There is no check with ${named.join(", ")}; look it up with ListChecks.`,
    metadata,
  });
}
