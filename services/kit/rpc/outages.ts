import { MongoError, MongoServerError } from "mongodb";
import { Refusal } from "../refusal.ts";

/** Server error codes that mean "not now": shutdown, step-down, no primary, time over. */
const MONGO_NOT_NOW = new Set([50, 91, 189, 10107, 11600, 11602, 13435, 13436]);
const MONGO_WRITE_CONFLICT = 112;

/** Driver errors that mean the database was not reached; by name, because some have no exported class. */
const MONGO_UNREACHED = new Set([
  "MongoNetworkError",
  "MongoNetworkTimeoutError",
  "MongoServerSelectionError",
  "MongoOperationTimeoutError",
  "MongoWaitQueueTimeoutError",
  "MongoPoolClearedError",
  "MongoPoolClosedError",
  "PoolClearedOnNetworkError",
  "MongoTopologyClosedError",
  "MongoNotConnectedError",
  "MongoClientClosedError",
]);

/** gRPC codes of a Temporal answer that mean it cannot work now: cancelled, deadline, exhausted, aborted, unavailable. */
const TEMPORAL_NOT_NOW = new Set([1, 4, 8, 10, 14]);

/**
 * The refusal an outage of the database or of Temporal stands for, or undefined when the error is none.
 * Every service depends on both, so that this is not repeated in each handler.
 */
export function outageOf(error: unknown): Refusal | undefined {
  if (error instanceof MongoError) return mongoOutage(error);
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isTemporalOutage(cause)) return new Refusal("TEMPORAL_UNAVAILABLE", { cause: error });
  }
  return undefined;
}

function mongoOutage(error: MongoError): Refusal | undefined {
  if (MONGO_UNREACHED.has(error.name)) return new Refusal("STORE_UNAVAILABLE", { cause: error });
  if (error instanceof MongoServerError) {
    const code = Number(error.code);
    if (code === MONGO_WRITE_CONFLICT) return new Refusal("WRITE_CONFLICT", { cause: error });
    if (MONGO_NOT_NOW.has(code)) return new Refusal("STORE_UNAVAILABLE", { cause: error });
  }
  if (error.hasErrorLabel("RetryableWriteError")) {
    return new Refusal("STORE_UNAVAILABLE", { cause: error });
  }
  return undefined;
}

/** Errors of Temporal's client and native connection carry a gRPC code and `details`, or are a TransportError. */
function isTemporalOutage(error: Error): boolean {
  if (error.name === "TransportError") return true;
  return (
    "code" in error &&
    typeof error.code === "number" &&
    "details" in error &&
    typeof error.details === "string" &&
    TEMPORAL_NOT_NOW.has(error.code)
  );
}
