import type { Command } from "commander";
import { UsageError } from "./errors.ts";

const LIMIT_MAX = 100_000;
const PAGE_SIZE_MAX = 1000;

/** Adds `--limit`. */
export function withLimit(command: Command): Command {
  return command.option("--limit <n>", "at most this many rows", "50");
}

/** One page of a list. */
export interface Page<T> {
  readonly rows: readonly T[];
  readonly nextPageToken: string;
}

/** Reads pages until the limit or the end; the server's pages hold at most 1000 rows. */
export async function readPages<T>(
  limitText: string,
  read: (page: { readonly pageSize: number; readonly pageToken: string }) => Promise<Page<T>>,
): Promise<readonly T[]> {
  const limit = Number(limitText);
  if (!/^\d+$/.test(limitText) || limit < 1 || limit > LIMIT_MAX) {
    throw new UsageError(`not a limit: ${limitText}`, `give a whole number from 1 to ${LIMIT_MAX}`);
  }
  const rows: T[] = [];
  let pageToken = "";
  do {
    const page = await read({ pageSize: Math.min(limit - rows.length, PAGE_SIZE_MAX), pageToken });
    rows.push(...page.rows);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && rows.length < limit);
  return rows;
}
