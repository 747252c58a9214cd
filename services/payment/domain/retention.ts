/** How long Payment keeps what is not money, in milliseconds. */
export interface PaymentRetention {
  /** Answers to request ids; a payment keeps its own for ever. Default 400 days. */
  readonly requestsKeptMs: number;
  /** Callbacks that were dealt with. Default 90 days; a copy that comes later is a new one, and still harmless. */
  readonly callbacksKeptMs: number;
  /** Tasks that were closed. Default 400 days. */
  readonly tasksKeptMs: number;
}
