import type { Collection, Document, WithId } from "mongodb";

const known = new Map<string, boolean>();

/**
 * Whether the collection begins with a row of an older form. The oldest row lies first, so a new database, and one whose
 * old rows are gone, pays for no second look at them. Asked once per process, after the migrations.
 */
export async function startsWithOld<Row extends Document>(
  rows: Collection<Row>,
  isOld: (row: WithId<Row>) => boolean,
): Promise<boolean> {
  const found = known.get(rows.namespace);
  if (found !== undefined) return found;
  const [first] = await rows.find().sort({ $natural: 1 }).limit(1).toArray();
  const old = first !== undefined && isOld(first);
  known.set(rows.namespace, old);
  return old;
}
