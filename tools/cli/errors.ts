import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { certificateFault } from "#kit/auth/tls.ts";

/** Exit code of a command that was understood but did not succeed. */
export const EXIT_FAILED = 1;
/** Exit code of a command line that was not understood. */
export const EXIT_USAGE = 2;
/** Exit code of a payment that was shown and ended without success: FAILED or CANCELLED. */
export const EXIT_UNSUCCESSFUL = 3;
/** Exit code of a payment that was waited for and has not ended: it goes on without the command. */
export const EXIT_OPEN = 4;

/** A command line that cannot be carried out as it is written. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly next: string;

  /** `next` says what to write instead. */
  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}

/** An expected failure found by the command itself. Exit code 1. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly next: string;

  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}

/** A failure as it is shown. */
export interface Failure {
  readonly exitCode: number;
  /** The stable reason, or the gRPC status when the error brings none. */
  readonly reason: string;
  readonly message: string;
  readonly fields: readonly { readonly field: string; readonly description: string }[];
  /** What to do now. */
  readonly next: string;
}

/** Turns whatever a command threw into what a person needs to go on. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof UsageError) return local(EXIT_USAGE, "USAGE", error.message, error.next);
  if (error instanceof CommandFailure)
    return local(EXIT_FAILED, "FAILED", error.message, error.next);
  if (error instanceof ConnectError) return describeRpcFailure(error);
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return local(EXIT_FAILED, "BUG", message, "this is a bug in the CLI: please report it");
}

/** The lines that go to standard error. */
export function failureLines(failure: Failure): readonly string[] {
  return [
    `error: ${failure.reason}: ${failure.message}`,
    ...failure.fields.map(({ field, description }) => `  ${field}: ${description}`),
    `next:  ${failure.next}`,
  ];
}

function local(exitCode: number, reason: string, message: string, next: string): Failure {
  return { exitCode, reason, message, fields: [], next };
}

function describeRpcFailure(error: ConnectError): Failure {
  const fault = certificateFault(error);
  if (fault !== undefined) {
    const next = "name the authority that issued it by --ca or SETTLE_TLS_CA";
    return local(
      EXIT_FAILED,
      "UNAVAILABLE",
      `the server's certificate is not believed: ${fault}`,
      next,
    );
  }
  const status = statusName(error.code);
  const reason = error.findDetails(ErrorInfoSchema)[0]?.reason || status;
  const fields = error
    .findDetails(BadRequestSchema)
    .flatMap((detail) => detail.fieldViolations)
    .map(({ field, description }) => ({ field, description }));
  return {
    exitCode: EXIT_FAILED,
    reason,
    message: error.rawMessage,
    fields,
    next: nextStep(reason, error),
  };
}

/** `FAILED_PRECONDITION` for `Code.FailedPrecondition`. */
export function statusName(code: Code): string {
  return Code[code].replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

const NEXT_BY_REASON: Readonly<Record<string, string>> = {
  PAYMENT_NOT_FOUND: "list what there is: settle payment list",
  ACCOUNT_NOT_FOUND: "check the id; a fresh development ledger has the accounts 1, 2 and 3",
  NOT_CANCELLABLE: "it is settled or ended: settle payment get shows which",
  NOT_CAPTURABLE:
    "only a payment in REQUIRES_CAPTURE can be captured: settle payment get shows its state",
  NOT_REFUNDABLE:
    "only settled money can be given back: settle payment get shows the payment's state",
  CAPTURE_EXCEEDS_AUTHORIZED: "leave --amount out to take all, or take less",
  CURRENCY_MISMATCH: "use the currency that settle payment get or settle account get shows",
  ACCOUNT_FROZEN: "an operator has to unfreeze the account with UnfreezeAccount first",
  ETAG_MISMATCH: "read it again and decide on what it is now",
  REFUND_EXCEEDS_CAPTURED: "see settle payment get for what is left to refund",
  INSUFFICIENT_FUNDS: "see settle account get, then take a smaller amount or credit the account",
  REQUEST_ID_REUSED: "take a new --request-id, or repeat the first command exactly as it was",
};

const NEXT_BY_CODE: ReadonlyMap<Code, string> = new Map([
  [Code.Unavailable, "is Settle running? npm start; settle doctor tells what is missing"],
  [
    Code.DeadlineExceeded,
    "the outcome is not known: repeat the same command with the same --request-id, or read the object",
  ],
  [Code.Aborted, "somebody else changed it at the same moment: repeat the command"],
  [Code.ResourceExhausted, "wait a moment and repeat the command"],
  [Code.FailedPrecondition, "see its state by settle payment get or settle account get"],
  [Code.AlreadyExists, "take a new id, or repeat the first command exactly as it was"],
  [Code.InvalidArgument, "correct the field named above; --help shows examples"],
  [Code.NotFound, "check the id"],
  [Code.PermissionDenied, "use a key whose role may call this"],
  [Code.Unauthenticated, "give a valid key"],
  [
    Code.Unimplemented,
    "the address is another service's or an older version: settle doctor shows which is where",
  ],
  [Code.Canceled, "the command was interrupted: repeat it, the same --request-id makes that safe"],
]);

/** What the state of a payment leaves to do, where a refusal names it. */
const NEXT_BY_STATUS: Readonly<Record<string, (id: string) => string>> = {
  PENDING: (id) => `wait for its end: settle payment watch ${id}`,
  PROCESSING: (id) => `wait for its end: settle payment watch ${id}`,
  NEEDS_REVIEW: (id) =>
    `a person has to decide it; settle payment watch ${id}, or settle payment cancel ${id}`,
  REQUIRES_CAPTURE: (id) => `settle payment capture ${id}, or settle payment cancel ${id}`,
  SUCCEEDED: (id) => `give the money back: settle payment refund ${id}`,
  PARTIALLY_REFUNDED: (id) => `give the rest back: settle payment refund ${id}`,
  REFUNDED: () => "nothing: all of the money was given back",
  FAILED: () => "nothing was taken: settle payment create takes a new payment",
  CANCELLED: () => "nothing was taken: settle payment create takes a new payment",
};

function nextStep(reason: string, error: ConnectError): string {
  const { payment_id: id = "", status = "" } =
    error.findDetails(ErrorInfoSchema)[0]?.metadata ?? {};
  const byStatus = reason.startsWith("NOT_") && id !== "" ? NEXT_BY_STATUS[status] : undefined;
  if (byStatus !== undefined) return byStatus(id);
  return (
    NEXT_BY_REASON[reason] ??
    NEXT_BY_CODE.get(error.code) ??
    "look at the service's log; settle doctor checks the rest"
  );
}
