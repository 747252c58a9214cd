import { pageSize, pageToken, readPageToken } from "#kit/page.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import type { Payment, Refund } from "../domain/payment.ts";
import type { PaymentFilter } from "../store/payments.ts";
import type { PaymentDeps } from "./deps.ts";
import { mustFind } from "./wait-for.ts";

/** A page and the token of the next one, empty on the last. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string;
}

interface PageRequest {
  readonly size: number;
  readonly token: string;
}

/** A page of payments, newest first. Fails with INVALID_PAGE_TOKEN. */
export async function listPayments(
  deps: Pick<PaymentDeps, "store">,
  scope: Scope,
  filter: PaymentFilter,
  page: PageRequest,
): Promise<Page<Payment>> {
  return readPage(
    { list: "payments", tenant: scope.tenant, accounts: scope.accounts, ...filter },
    page,
    (size, before) =>
      deps.store.listPayments(scope, filter, before === undefined ? { size } : { size, before }),
    (payment) => payment.paymentId,
  );
}

/** A page of a payment's refunds, newest first. Fails with PAYMENT_NOT_FOUND and INVALID_PAGE_TOKEN. */
export async function listRefunds(
  deps: Pick<PaymentDeps, "store">,
  scope: Scope,
  paymentId: string,
  page: PageRequest,
): Promise<Page<Refund>> {
  await mustFind(deps, scope, paymentId);
  return readPage(
    { list: "refunds", tenant: scope.tenant, paymentId },
    page,
    (size, before) =>
      deps.store.listRefunds(scope, paymentId, before === undefined ? { size } : { size, before }),
    (refund) => refund.refundId,
  );
}

/** One refund. Fails with REFUND_NOT_FOUND, also for another tenant's or another payer's. */
export async function getRefund(
  deps: Pick<PaymentDeps, "store">,
  scope: Scope,
  refundId: string,
): Promise<Refund> {
  const refund = await deps.store.findRefund(scope, refundId);
  const payment = refund && (await deps.store.findPayment(scope, refund.paymentId));
  if (refund && payment) return refund;
  throw new Refusal("REFUND_NOT_FOUND", { metadata: { refund_id: refundId } });
}

/** One row more than asked for tells whether there is a next page. */
async function readPage<T>(
  filter: object,
  page: PageRequest,
  find: (size: number, before: string | undefined) => Promise<T[]>,
  idOf: (item: T) => string,
): Promise<Page<T>> {
  const size = pageSize(page.size);
  const [before] = readPageToken(page.token, filter, 1) ?? [];
  const found = await find(size + 1, before);
  const items = found.slice(0, size);
  const last = items.at(-1);
  const nextPageToken = found.length > size && last ? pageToken(filter, [idOf(last)]) : "";
  return { items, nextPageToken };
}
