import { createHash } from "node:crypto";
import type { PaymentBook } from "../domain/book.ts";
import type { PaymentDeps } from "./deps.ts";

type Deps = Pick<PaymentDeps, "store" | "workflows" | "sweepAfterMs">;
/** How what the provider did by itself comes into the book. */
export type ProviderNews = Pick<PaymentBook, "voidedByProvider" | "refundedByProvider">;

/** How long a run may take to hear that its payment is to be undone, in milliseconds; the sweeper tells it again. */
const TELL_MS = 1_000;

/** Books what the provider did by itself. Each may run any number of times. */
export function providerNews(deps: Deps): ProviderNews {
  return {
    async voidedByProvider(ref) {
      const phase = { kind: "UNDOING", reason: "GATEWAY_VOIDED" } as const;
      await deps.store.claimPhase(ref, ref.paymentId, phase);
      // By the name the sweeper uses: an update of one id is heard once.
      await deps.workflows.cancel(ref.paymentId, "decided", TELL_MS);
    },
    async refundedByProvider(ref, { key, minorUnits }) {
      const payment = await deps.store.findPayment(ref, ref.paymentId);
      if (payment === undefined) throw new Error(`there is no row of ${ref.paymentId}`);
      const now = new Date();
      const refund = {
        tenant: ref.tenant,
        refundId: providerRefundId(ref.paymentId, key),
        paymentId: ref.paymentId,
        currencyCode: payment.currencyCode,
        status: "PENDING" as const,
        reason: "made by the provider",
        failure: null,
        notify: null,
        providerKey: key,
        version: 1n,
        createTime: now,
        updateTime: now,
        sweepTime: new Date(now.getTime() + deps.sweepAfterMs),
      };
      const reserved = await deps.store.reserveRefund(refund, minorUnits);
      // A refund of ours is under way that the provider will refuse; its reservation is free then.
      if ("refused" in reserved)
        throw new Error(`the provider's refund ${key} does not fit yet: ${reserved.refused}`);
      if (reserved.refund.status === "PENDING")
        await deps.workflows.startRefund(reserved.refund, payment.accountId, "again");
    },
  };
}

/** The same for the same refund, so that a callback and a reconcile book it once. */
function providerRefundId(paymentId: string, key: string): string {
  return createHash("sha256").update(`${paymentId} ${key}`).digest("hex").slice(0, 32);
}
