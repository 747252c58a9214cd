import { key } from "#kit/mongo/key.ts";
import type { Tenant } from "../application/book.ts";
import type { BookCollections } from "./rows.ts";
import { isDuplicate } from "./transactions.ts";

/** Counts one more attempt at a flaky authorisation and returns which it was, from 1. Survives a restart. */
export async function countAttempt(
  book: BookCollections,
  scope: Tenant,
  authorizationKey: string,
): Promise<number> {
  const increment = () =>
    book.attempts.findOneAndUpdate(
      { _id: key(scope, authorizationKey) },
      { $inc: { count: 1 }, $set: { updateTime: new Date() } },
      { upsert: true, returnDocument: "after" },
    );
  // Two first attempts may both try to insert; the one that lost finds the row on its second try.
  const row = await increment().catch((error: unknown) => {
    if (isDuplicate(error)) return increment();
    throw error;
  });
  return row?.count ?? 1;
}
