import type { Money } from "#kit/pure/money.ts";
import type { GatewayReason } from "../reasons.ts";

/** A call that changes an authorisation. */
export interface Operation {
  /** The call's own idempotency key. */
  readonly key: string;
  readonly kind: "CAPTURE" | "VOID" | "REFUND";
  readonly authorizationKey: string;
  /** As the call named it: null means all, whatever that was at the time. */
  readonly amount: Money | null;
  /** Set when no merchant asked for it. */
  readonly byProvider?: true;
}

/** An operation that was decided; a definite refusal is an outcome like any other and is kept. */
export interface RecordedOperation extends Operation {
  readonly refusal: GatewayReason | null;
}

/** Whether a repeated key asks for the same thing as the first call with it. */
export function isSameOperation(a: Operation, b: Operation): boolean {
  return (
    a.kind === b.kind &&
    a.authorizationKey === b.authorizationKey &&
    a.byProvider === b.byProvider &&
    a.amount?.currencyCode === b.amount?.currencyCode &&
    a.amount?.minorUnits === b.amount?.minorUnits
  );
}
