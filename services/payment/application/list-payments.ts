import { type ListPage, type ListRequest, readList } from "#kit/list/read-list.ts";
import type { Condition } from "#kit/list/spec.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import type { Payment, PaymentStatus, Refund } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";
import { PAYMENT_LIST, REFUND_LIST } from "./lists.ts";
import { mustFind } from "./wait-for.ts";

/** What is asked for by fields of their own; absent means any. */
export interface PaymentFilter {
  readonly accountId?: string;
  readonly status?: PaymentStatus;
  readonly createdFrom?: Date;
  readonly createdTo?: Date;
}

/** A page of payments, newest first. Fails with INVALID_PAGE_TOKEN, and INVALID_FIELD for an unknown filter or order. */
export async function listPayments(
  deps: Pick<PaymentDeps, "store">,
  scope: Scope,
  filter: PaymentFilter,
  request: ListRequest,
): Promise<ListPage<Payment>> {
  return readList(PAYMENT_LIST, scope, request, {
    fixed: conditionsOf(filter),
    find: (query) => deps.store.listPayments(scope, query),
    positionOf: ({ paymentId }) => [paymentId],
  });
}

function conditionsOf(filter: PaymentFilter): readonly Condition[] {
  const { accountId, status, createdFrom, createdTo } = filter;
  const conditions: Condition[] = [];
  if (accountId) conditions.push({ field: "account_id", operator: "=", value: accountId });
  if (status) conditions.push({ field: "status", operator: "=", value: status });
  if (createdFrom) conditions.push({ field: "create_time", operator: ">=", value: createdFrom });
  if (createdTo) conditions.push({ field: "create_time", operator: "<", value: createdTo });
  return conditions;
}

/** A page of a payment's refunds, newest first. Fails with PAYMENT_NOT_FOUND, INVALID_PAGE_TOKEN and INVALID_FIELD. */
export async function listRefunds(
  deps: Pick<PaymentDeps, "store">,
  scope: Scope,
  paymentId: string,
  request: ListRequest,
): Promise<ListPage<Refund>> {
  await mustFind(deps, scope, paymentId);
  const spec = { ...REFUND_LIST, name: `${REFUND_LIST.name} of ${paymentId}` };
  return readList(spec, scope, request, {
    find: (query) => deps.store.listRefunds(scope, paymentId, query),
    positionOf: ({ refundId }) => [refundId],
  });
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
