import type { ChangeStream, ChangeStreamDocument, Db, ResumeToken } from "mongodb";
import type { Log } from "#kit/log.ts";
import { Refusal } from "#kit/refusal.ts";
import type { Payment } from "../domain/payment.ts";
import { type PaymentRow, paymentRows, toPayment } from "./payments.ts";

/** Called with the changed payment, or with undefined when changes may have been missed: then read the row. */
export type Listener = (payment: Payment | undefined) => void;

/**
 * The changes of all payments, from one change stream per process that is opened for the first listener. It resumes
 * after a failure; where it cannot, listeners are told to read again, so nobody waits for a change that was lost.
 */
export class PaymentFeed implements AsyncDisposable {
  readonly #db: Db;
  readonly #log: Log;
  readonly #listeners = new Map<string, Set<Listener>>();
  #open: Promise<void> | undefined;
  #stream: ChangeStream<PaymentRow, ChangeStreamDocument<PaymentRow>> | undefined;
  #closed = false;
  #running: Promise<void> = Promise.resolve();

  constructor(db: Db, log: Log) {
    this.#db = db;
    this.#log = log;
  }

  /** Listens to one payment. When it returns, no later change is missed. */
  async listen(paymentId: string, listener: Listener): Promise<Disposable> {
    const listeners = this.#listeners.get(paymentId) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(paymentId, listeners);
    const forget = (): void => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(paymentId);
    };
    try {
      this.#open ??= this.#start();
      await this.#open;
    } catch (error) {
      // The next listener tries again: a database that was away once must not silence the feed for ever.
      this.#open = undefined;
      forget();
      // The driver says "closed" here as if it were a bug; the caller may simply ask again elsewhere.
      throw this.#closed ? new Refusal("SHUTTING_DOWN", { cause: error }) : error;
    }
    return { [Symbol.dispose]: forget };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#stream?.close();
    await this.#running;
  }

  async #start(): Promise<void> {
    const stream = await this.#watch(undefined);
    this.#running = this.#run(stream);
  }

  async #watch(resumeAfter: ResumeToken | undefined) {
    const stream = paymentRows(this.#db).watch<PaymentRow>(
      [{ $match: { operationType: { $in: ["insert", "update", "replace"] } } }],
      { fullDocument: "updateLookup", ...(resumeAfter ? { resumeAfter } : {}) },
    );
    this.#stream = stream;
    // Opens the cursor on the server now: a change after this line is seen.
    const first = await stream.tryNext();
    if (first) this.#publish(first);
    return stream;
  }

  async #run(first: ChangeStream<PaymentRow, ChangeStreamDocument<PaymentRow>>): Promise<void> {
    let stream = first;
    while (!this.#closed) {
      try {
        this.#publish(await stream.next());
      } catch (error) {
        if (this.#closed) return;
        this.#log.warn({ err: error }, "payment feed interrupted");
        stream = await this.#reopen(stream);
      }
    }
  }

  async #reopen(broken: ChangeStream<PaymentRow, ChangeStreamDocument<PaymentRow>>) {
    await broken.close().catch(() => undefined);
    for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (this.#closed) return broken;
      try {
        const stream = await this.#watch(undefined);
        for (const listeners of this.#listeners.values()) {
          for (const listener of listeners) listener(undefined);
        }
        return stream;
      } catch (error) {
        this.#log.warn({ err: error }, "payment feed is still down");
      }
    }
  }

  #publish(change: ChangeStreamDocument<PaymentRow>): void {
    if (!("fullDocument" in change) || !change.fullDocument) return;
    const row = change.fullDocument;
    for (const listener of this.#listeners.get(row._id.id) ?? []) {
      listener(toPayment(row));
    }
  }
}
