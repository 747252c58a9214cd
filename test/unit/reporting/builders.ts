import type {
  GatewayBook,
  HoldBook,
  PaymentBook,
  PaymentCase,
  TransferBook,
} from "#services/reporting/domain/books.ts";

const MONEY = { currencyCode: "USD", amount: 100n } as const;

/** A payment of 1.00 USD that settled without any trouble. */
export function paymentCase(
  change: Partial<PaymentBook> = {},
  parts: Partial<Omit<PaymentCase, "payment">> = {},
): PaymentCase {
  const paymentId = change.paymentId ?? "p1";
  const payment: PaymentBook = {
    paymentId,
    requestId: `request-${paymentId}`,
    accountId: "alice",
    ...MONEY,
    capturedAmount: 100n,
    refundedAmount: 0n,
    reservedAmount: 0n,
    status: "SUCCEEDED",
    phase: "CAPTURING",
    phaseAmount: 100n,
    failureReason: "",
    final: true,
    notifyPending: false,
    version: 1n,
    createTime: new Date("2026-01-01T00:00:00Z"),
    finalTime: new Date("2026-01-01T00:00:01Z"),
    ...change,
  };
  const capture = transferBook({ transactionId: `${paymentId}:capture` });
  return {
    payment,
    refunds: [],
    hold: holdBook({ holdId: `${paymentId}:hold`, transactionId: capture.transactionId }),
    transfers: transfersOf(capture),
    notices: new Map(),
    check: undefined,
    callbackOpen: false,
    ...parts,
  };
}

/** The captured hold of that payment. */
export function holdBook(change: Partial<HoldBook> = {}): HoldBook {
  return {
    holdId: "p1:hold",
    accountId: "alice",
    destinationAccountId: "provider:mock:USD",
    ...MONEY,
    capturedAmount: 100n,
    state: "CAPTURED",
    transactionId: "p1:capture",
    ...change,
  };
}

/** Its posting. */
export function transferBook(change: Partial<TransferBook> = {}): TransferBook {
  return {
    transactionId: "p1:capture",
    sourceAccountId: "alice",
    destinationAccountId: "provider:mock:USD",
    ...MONEY,
    state: "POSTED",
    ...change,
  };
}

export function transfersOf(
  ...transfers: readonly TransferBook[]
): ReadonlyMap<string, TransferBook> {
  return new Map(transfers.map((transfer) => [transfer.transactionId, transfer]));
}

/** What the provider has of it. */
export function transaction(change: Partial<GatewayBook> = {}): GatewayBook {
  return {
    authorizationKey: "p1:authorize",
    merchantReference: "p1",
    ...MONEY,
    capturedAmount: 100n,
    refundedAmount: 0n,
    state: "CAPTURED",
    updateTime: new Date(0),
    ...change,
  };
}
