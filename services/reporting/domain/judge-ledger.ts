import {
  isSettled,
  isUndone,
  namesOf,
  type PaymentBook,
  type PaymentCase,
  PROVIDER_PREFIX,
  type RefundBook,
  type TransferBook,
} from "./books.ts";
import { type Violation, violationsOf } from "./invariants.ts";

/** A6 for one final payment: what the ledger did is what its state and its refunds say. */
export function judgeLedger(books: PaymentCase): readonly Violation[] {
  const { status, paymentId } = books.payment;
  const details = [
    ...(isSettled(status) ? settledDetails(books) : []),
    ...(isUndone(status) ? undoneDetails(books) : []),
    ...books.refunds.flatMap((refund) => refundDetails(books, refund)),
  ];
  return violationsOf("A6", paymentId, details);
}

/** Posted once: by the hold, or from suspense when the hold was gone by then. */
function settledDetails(books: PaymentCase): readonly string[] {
  const { payment, hold } = books;
  const capture = landed(books, namesOf.capture(payment.paymentId));
  const suspense = landed(books, namesOf.suspense(payment.paymentId));
  if (capture && suspense) return ["captured twice: from the hold and from suspense"];
  if (suspense) {
    const payer = namesOf.suspenseAccount(payment.currencyCode);
    return moveDetails(suspense, payer, PROVIDER_PREFIX, payment.capturedAmount, payment);
  }
  if (!capture) return [`is ${payment.status}, but nothing was posted`];
  const fits =
    hold?.state === "CAPTURED" &&
    hold.capturedAmount === payment.capturedAmount &&
    hold.transactionId === capture.transactionId;
  return [
    ...moveDetails(capture, payment.accountId, PROVIDER_PREFIX, payment.capturedAmount, payment),
    ...(fits || hold?.state === "HELD"
      ? []
      : [`its hold is ${hold?.state ?? "absent"} with ${hold?.capturedAmount ?? 0n} captured`]),
  ];
}

/** No effect at all. A hold that is still HELD is A9's. */
function undoneDetails({ payment, hold, ...books }: PaymentCase): readonly string[] {
  const { paymentId, status } = payment;
  const posted = [namesOf.capture(paymentId), namesOf.suspense(paymentId)].filter((id) =>
    landed(books, id),
  );
  return [
    ...posted.map((id) => `is ${status}, but ${id} is posted`),
    ...(hold?.state === "CAPTURED" && posted.length === 0 && !givenBack(books, paymentId)
      ? [`is ${status}, but its hold is CAPTURED`]
      : []),
  ];
}

/** A hold that was captured before its payment was undone: the posting landed and was reversed. */
function givenBack({ transfers }: Pick<PaymentCase, "transfers">, paymentId: string): boolean {
  const capture = namesOf.capture(paymentId);
  return [capture, namesOf.reversal(capture)].every((id) => transfers.get(id)?.state === "POSTED");
}

function refundDetails(books: PaymentCase, refund: RefundBook): readonly string[] {
  const direct = landed(books, namesOf.refund(refund.refundId));
  // To suspense where the payer's account could not take it, or where suspense had paid in the payer's place.
  const suspense = landed(books, namesOf.refundSuspense(refund.refundId));
  const transfer = direct ?? suspense;
  if (direct && suspense) return [`refund ${refund.refundId} is posted twice`];
  if (refund.status === "PENDING") return [];
  if (refund.status === "FAILED") {
    return transfer ? [`refund ${refund.refundId} is FAILED, but is posted`] : [];
  }
  if (!transfer) return [`refund ${refund.refundId} is ${refund.status}, but nothing was posted`];
  if (direct && landed(books, namesOf.suspense(books.payment.paymentId)))
    return [`refund ${refund.refundId} went to the payer, but suspense had paid`];
  const receiver = direct
    ? books.payment.accountId
    : namesOf.suspenseAccount(books.payment.currencyCode);
  return moveDetails(transfer, PROVIDER_PREFIX, receiver, refund.amount, refund);
}

/** The transfer if it took effect and was not reversed. */
function landed(books: Pick<PaymentCase, "transfers">, id: string): TransferBook | undefined {
  const transfer = books.transfers.get(id);
  const reversed = books.transfers.get(namesOf.reversal(id))?.state === "POSTED";
  return transfer?.state === "POSTED" && !reversed ? transfer : undefined;
}

function moveDetails(
  transfer: TransferBook,
  payer: string,
  receiver: string,
  amount: bigint,
  { currencyCode }: Pick<PaymentBook, "currencyCode">,
): readonly string[] {
  const { transactionId: id, sourceAccountId, destinationAccountId } = transfer;
  const sides = matches(sourceAccountId, payer) && matches(destinationAccountId, receiver);
  return [
    ...(sides ? [] : [`${id} goes from ${sourceAccountId} to ${destinationAccountId}`]),
    ...(transfer.amount === amount && transfer.currencyCode === currencyCode
      ? []
      : [
          `${id} moves ${transfer.amount} ${transfer.currencyCode} instead of ${amount} ${currencyCode}`,
        ]),
  ];
}

function matches(accountId: string, wanted: string): boolean {
  return wanted === PROVIDER_PREFIX ? accountId.startsWith(wanted) : accountId === wanted;
}

/** The payment or refund a posting with a provider must belong to, by its id; undefined when it can be none. */
export function ownerOfProviderTransfer(
  transactionId: string,
): { readonly kind: "payment" | "refund"; readonly id: string } | undefined {
  const match = /^(.+?):(capture|suspense|refund(?::suspense)?)(?::reversal)?$/.exec(transactionId);
  if (!match?.[1]) return undefined;
  return { kind: match[2]?.startsWith("refund") ? "refund" : "payment", id: match[1] };
}

/** Money between the provider and our own accounts outside, for example a payout to the bank: no payment's business. */
export function isPayout({ sourceAccountId, destinationAccountId }: TransferBook): boolean {
  return [sourceAccountId, destinationAccountId].every((id) => /^(provider|external):/.test(id));
}

/** A6 for a posting with a provider that is no payment's and no refund's. */
export function strayTransfer(transfer: TransferBook): Violation {
  const { transactionId, sourceAccountId, destinationAccountId, amount, currencyCode } = transfer;
  const detail = `moves ${amount} ${currencyCode} from ${sourceAccountId} to ${destinationAccountId} for no payment and no refund`;
  return { invariant: "A6", id: transactionId, detail };
}
