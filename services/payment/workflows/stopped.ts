import type { PhaseText } from "../contract.ts";

/** The row says that the payment was decided already: by an earlier run, or by somebody who wrote the row first. */
export class Decided extends Error {
  override readonly name = "Decided";
  readonly phase: DecidedPhaseText;

  constructor(phase: DecidedPhaseText) {
    super(`decided: ${phase.kind}`);
    this.phase = phase;
  }
}

/** A phase that was decided. */
export type DecidedPhaseText = Exclude<PhaseText, { readonly kind: "OPEN" }>;

/** Throws `Decided` when the phase is; older code told none. */
export function goOnIfOpen(phase: PhaseText | undefined): void {
  if (phase && phase.kind !== "OPEN") throw new Decided(phase);
}

/** A definite no on the way to the decision: the payment is to be undone for this reason. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}
