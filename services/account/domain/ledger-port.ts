import type { LedgerOutcome, LedgerRequest } from "./request.ts";

/** Where a batch is decided and written, all or nothing. */
export interface LedgerPort {
  /**
   * Decides the requests in order and commits them in one transaction; answers in the same order. Throws
   * `BatchUndecided` when nothing was committed, or nobody knows, and the same batch may be tried again.
   */
  commitBatch(requests: readonly LedgerRequest[]): Promise<readonly LedgerOutcome[]>;
}

/**
 * The batch has to be decided again from the store: another writer was first, the connection broke, or the
 * result of the commit is not known. Trying again is safe, for the requests are found by their ids.
 */
export class BatchUndecided extends Error {
  override readonly name = "BatchUndecided";

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}
