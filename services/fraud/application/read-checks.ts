import { pageSize, pageToken, readPageToken } from "#kit/page.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import type { Check, Decision } from "../domain/check.ts";
import type { FraudDeps } from "./deps.ts";

/** Reads one check. Fails with CHECK_NOT_FOUND. */
export async function getCheck(deps: FraudDeps, scope: Scope, checkId: string): Promise<Check> {
  const check = await deps.store.findCheck(scope, checkId);
  if (check === undefined) throw checkNotFound({ check_id: checkId });
  return check;
}

/** A page of checks. */
export interface CheckPage {
  readonly checks: readonly Check[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/** Lists checks, newest first. Fails with INVALID_PAGE_TOKEN. */
export async function listChecks(
  deps: FraudDeps,
  scope: Scope,
  request: { pageSize: number; pageToken: string; decision: Decision | undefined },
): Promise<CheckPage> {
  const { decision } = request;
  const filter = { tenant: scope.tenant, decision: decision ?? null };
  const size = pageSize(request.pageSize);
  const [timeMs, id] = readPageToken(request.pageToken, filter, 2) ?? [];
  const after =
    timeMs === undefined || id === undefined
      ? undefined
      : { createTime: new Date(Number(timeMs)), id };
  const rows = await deps.store.listChecks(scope, { decision, limit: size + 1, after });
  const checks = rows.slice(0, size);
  const last = checks.at(-1);
  if (rows.length <= size || last === undefined) return { checks, nextPageToken: "" };
  const position = [`${last.createTime.getTime()}`, last.id];
  return { checks, nextPageToken: pageToken(filter, position) };
}

/** Refuses with CHECK_NOT_FOUND, naming what was looked for. */
export function checkNotFound(metadata: Readonly<Record<string, string>>): Refusal {
  const named = Object.entries(metadata).map(([name, value]) => `${name} ${value}`);
  return new Refusal("CHECK_NOT_FOUND", {
    message: `There is no check with ${named.join(", ")}; look it up with ListChecks.`,
    metadata,
  });
}
