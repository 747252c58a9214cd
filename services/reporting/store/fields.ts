// What an audit reads of each row: most of a row is text that it does not look at, and decoding is what an audit costs.

export const PAYMENT_FIELDS = [
  ...["requestId", "accountId", "currencyCode", "amount", "capturedAmount", "refundedAmount"],
  ...["reservedAmount", "status", "phase", "failure.reason", "final", "notify", "version"],
  ...["createTime", "finalTime"],
] as const;

export const HOLD_FIELDS = [
  ...["accountId", "destinationAccountId", "currencyCode", "amount", "capturedAmount", "state"],
  "transactionId",
] as const;

export const TRANSFER_FIELDS = [
  ...["sourceAccountId", "destinationAccountId", "currencyCode", "amount", "state"],
] as const;

export const NOTICE_FIELDS = ["paymentId", "template", "variables", "body"] as const;
