import { readdir, readFile } from "node:fs/promises";
import { type DataDir, DataDirError, writeAtomically } from "./data-dir.ts";

/** Series of the releases that Settle was ever run on; each reads what the one before it wrote, and no other's. */
const SERIES = ["6.0", "7.0", "8.0"];
/** What wrote a directory that tells nothing: nothing else was brought then. */
const BEFORE_RECORDS = "6.0";

/**
 * Refuses a mongod that cannot read the data: one older than them, or more than one series newer. mongod itself would
 * end with a page of its log, or take the data and refuse them to the version before.
 */
export async function checkMongodVersion(
  dataDir: Pick<DataDir, "path" | "mongo" | "mongodFile">,
  version: string,
): Promise<void> {
  const stored = await storedSeries(dataDir);
  const own = seriesOf(version);
  if (stored === undefined || own === stored) return;
  const [at, to] = [SERIES.indexOf(stored), SERIES.indexOf(own)];
  if (at >= 0 && to === at + 1) return;
  const way =
    to < at
      ? "it is older than the data"
      : `the way to it leads over MongoDB ${SERIES[at + 1] ?? "the versions between"}`;
  throw new DataDirError(
    `${dataDir.path} holds data of MongoDB ${stored}, which mongod ${version} cannot read: ${way}; set ` +
      `SETTLE_TOOL_MONGOD to a mongod ${stored}, or take another --data-dir. Nothing was changed.`,
  );
}

/** Writes down as what the data can be read, as the running mongod tells it: its featureCompatibilityVersion. */
export async function recordMongodVersion(
  { mongodFile }: Pick<DataDir, "mongodFile">,
  series: string,
): Promise<void> {
  await writeAtomically(mongodFile, `${JSON.stringify({ featureCompatibilityVersion: series })}\n`);
}

async function storedSeries({
  mongo,
  mongodFile,
}: Pick<DataDir, "mongo" | "mongodFile">): Promise<string | undefined> {
  const text = await readFile(mongodFile, "utf8").catch(() => undefined);
  if (text !== undefined) return /"featureCompatibilityVersion":"(\d+\.\d+)"/.exec(text)?.[1];
  return (await readdir(mongo)).length > 0 ? BEFORE_RECORDS : undefined;
}

function seriesOf(version: string): string {
  return /^\d+\.\d+/.exec(version)?.[0] ?? version;
}
