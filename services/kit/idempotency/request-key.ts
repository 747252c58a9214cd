import type { Db } from "mongodb";
import { startsWithOld } from "../mongo/oldest.ts";
import type { Scope } from "../pure/scope.ts";
import { type RequestKey, requestRows } from "./claims.ts";

/**
 * The key of a request: an id belongs to its caller, so that nobody can take it from another. What was claimed before
 * that was so keeps its old key, and whoever repeats it finds it there.
 */
export async function requestKey(
  db: Db,
  { tenant, subject }: Scope,
  { method, requestId }: { readonly method: string; readonly requestId: string },
): Promise<RequestKey> {
  const old: RequestKey = { tenant, method, requestId };
  const rows = requestRows(db);
  const hasOld = await startsWithOld(rows, (row) => row._id.subject === undefined);
  if (hasOld && (await rows.findOne({ _id: old })) !== null) return old;
  return { tenant, subject, method, requestId };
}
