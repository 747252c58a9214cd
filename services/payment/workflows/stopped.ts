/** A definite no on the way to the decision: the payment is to be undone for this reason. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}
