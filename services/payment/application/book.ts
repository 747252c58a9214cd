import { assert } from "#kit/pure/assert.ts";
import type { PaymentBook } from "../domain/book.ts";
import { eventOf } from "../domain/notice.ts";
import type { Payment, Refund } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";
import type { ProviderNews } from "./provider-news.ts";

/** Payment's rows for its activities. Every write is conditional, so each may run any number of times. */
export function paymentBook(
  { store }: Pick<PaymentDeps, "store">,
  news: ProviderNews,
): PaymentBook {
  return {
    ...news,
    find: async (ref) => existing(await store.findPayment(ref, ref.paymentId), ref.paymentId),
    claimPhase: async (ref, phase) =>
      existing(await store.claimPhase(ref, ref.paymentId, phase), ref.paymentId),
    async park(ref, change) {
      const { status, step, message, ...set } = change;
      return existing(
        await store.parkPayment(ref, ref.paymentId, { status, step, message, set }),
        ref.paymentId,
      );
    },
    async succeed(ref, { capturedAmount, gatewayReference }, eventIds) {
      // Callbacks first: a crash in between leaves the payment open and the saga comes back here.
      await store.finishCallbacks(ref, ref.paymentId, eventIds);
      const ended = await store.finishPayment(ref, ref.paymentId, {
        status: "SUCCEEDED",
        message: "settled",
        failure: null,
        capturedAmount,
        gatewayReference,
        notify: "succeeded",
        from: { "phase.kind": "CAPTURING" },
      });
      const payment = existing(ended, ref.paymentId);
      return closeTasks(store, payment, payment.final);
    },
    async fail(ref, failure, eventIds) {
      await store.finishCallbacks(ref, ref.paymentId, eventIds);
      const status = failure.reason === "CANCELLED" ? "CANCELLED" : "FAILED";
      // From OPEN only a declined hold ends here, from CAPTURING only a declined capture; both hold nothing. An undo
      // that was decided for another reason, a cancel for example, ends for that one.
      const from = [
        { "phase.kind": "OPEN" as const },
        { "phase.kind": "UNDOING" as const, "phase.reason": failure.reason },
        ...(failure.reason === "GATEWAY_DECLINED" ? [{ "phase.kind": "CAPTURING" as const }] : []),
      ];
      const ended = await store.finishPayment(ref, ref.paymentId, {
        status,
        message: failure.message,
        failure,
        capturedAmount: 0n,
        notify: eventOf(status),
        from: { $or: from },
        phase: { kind: "UNDOING", reason: failure.reason },
      });
      const payment = existing(ended, ref.paymentId);
      return closeTasks(store, payment, payment.final);
    },
    notified: (ref, event) => store.clearNotify(ref, ref.paymentId, event),
    openTask: (ref, kind, detail) =>
      store.openTask(ref, {
        paymentId: ref.paymentId,
        ...(ref.refundId && { refundId: ref.refundId }),
        kind,
        detail,
      }),
    pendingEvents: (ref) => store.pendingCallbacks(ref, ref.paymentId),
    finishEvents: (ref, eventIds) => store.finishCallbacks(ref, ref.paymentId, eventIds),
    async finishRefund(tenant, refundId, failure) {
      const refund = existing(await store.finishRefund({ tenant }, refundId, failure), refundId);
      return closeTasks(store, refund, true);
    },
    refundNotified: (tenant, refundId) => store.clearRefundNotify({ tenant }, refundId),
  };
}

/** Also for a repeat of the end: the first may have died between the end and this. */
async function closeTasks<T extends Payment | Refund>(
  store: PaymentDeps["store"],
  row: T,
  ended: boolean,
): Promise<T> {
  if (row.hasTasks && ended) await store.closeEndedTasks(row, row, `it ended ${row.status}`);
  return row;
}

/** Rows are never deleted: one that is missing is a restored backup or a bug, and the activity repeats until it is there. */
function existing<T extends Payment | Refund>(row: T | undefined, id: string): T {
  assert(row, `there is no row of ${id}`);
  return row;
}
