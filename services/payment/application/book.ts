import { assert } from "#kit/pure/assert.ts";
import type { PaymentBook } from "../domain/book.ts";
import { eventOf } from "../domain/notice.ts";
import type { Payment, Refund } from "../domain/payment.ts";
import { finishCallbacks, pendingCallbacks } from "../store/callbacks.ts";
import {
  claimPhase,
  clearNotify,
  findPayment,
  finishPayment,
  parkPayment,
} from "../store/payments.ts";
import { clearRefundNotify, finishRefund } from "../store/refunds.ts";
import { openTask } from "../store/tasks.ts";
import type { PaymentDeps } from "./deps.ts";

/** Payment's rows for its activities. Every write is conditional, so each may run any number of times. */
export function paymentBook({ db }: Pick<PaymentDeps, "db">): PaymentBook {
  return {
    find: async (ref) => existing(await findPayment(db, ref, ref.paymentId), ref.paymentId),
    claimPhase: async (ref, phase) =>
      existing(await claimPhase(db, ref, ref.paymentId, phase), ref.paymentId),
    async park(ref, change) {
      const { status, step, message, ...set } = change;
      return existing(
        await parkPayment(db, ref, ref.paymentId, { status, step, message, set }),
        ref.paymentId,
      );
    },
    async succeed(ref, capturedAmount, eventIds) {
      // Callbacks first: a crash in between leaves the payment open and the saga comes back here.
      await finishCallbacks(db, ref, ref.paymentId, eventIds);
      const ended = await finishPayment(db, ref, ref.paymentId, {
        status: "SUCCEEDED",
        message: "settled",
        failure: null,
        capturedAmount,
        notify: "succeeded",
        from: { "phase.kind": "CAPTURING" },
      });
      return existing(ended, ref.paymentId);
    },
    async fail(ref, failure, eventIds) {
      await finishCallbacks(db, ref, ref.paymentId, eventIds);
      const status = failure.reason === "CANCELLED" ? "CANCELLED" : "FAILED";
      // From OPEN only a declined hold ends here, from CAPTURING only a declined capture; both hold nothing.
      const kinds =
        failure.reason === "GATEWAY_DECLINED"
          ? ["OPEN", "UNDOING", "CAPTURING"]
          : ["OPEN", "UNDOING"];
      const ended = await finishPayment(db, ref, ref.paymentId, {
        status,
        message: failure.message,
        failure,
        capturedAmount: 0n,
        notify: eventOf(status),
        from: { "phase.kind": { $in: kinds } },
        phase: { kind: "UNDOING", reason: failure.reason },
      });
      return existing(ended, ref.paymentId);
    },
    notified: (ref, event) => clearNotify(db, ref, ref.paymentId, event),
    openTask: (ref, kind, detail) => openTask(db, ref, { paymentId: ref.paymentId, kind, detail }),
    pendingEvents: async (ref) =>
      (await pendingCallbacks(db, ref, ref.paymentId)).map(({ eventId }) => eventId),
    finishEvents: (ref, eventIds) => finishCallbacks(db, ref, ref.paymentId, eventIds),
    finishRefund: async (tenant, refundId, failure) =>
      existing(await finishRefund(db, { tenant }, refundId, failure), refundId),
    refundNotified: (tenant, refundId) => clearRefundNotify(db, { tenant }, refundId),
  };
}

/** Rows are never deleted: one that is missing is a restored backup or a bug, and the activity repeats until it is there. */
function existing<T extends Payment | Refund>(row: T | undefined, id: string): T {
  assert(row, `there is no row of ${id}`);
  return row;
}
