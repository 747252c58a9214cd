import { type PaymentStatus, PaymentStatusSchema } from "#gen/payment/v1/payment_pb.ts";

// What both entries, for Node and for browsers, have in common.
export { Code } from "@connectrpc/connect";
export type { WebhookEvent } from "#gen/notification/v1/webhook_pb.ts";
export {
  CaptureMode,
  type Payment,
  PaymentStatus,
  PaymentStep,
  type Refund,
  RefundStatus,
  WaitUntil,
} from "#gen/payment/v1/payment_pb.ts";
export type { SettleClient } from "./create-client.ts";
export { type FieldError, isReason, SettleError } from "./errors.ts";
export type {
  CallOptions,
  Protocol,
  RetryPolicy,
  SettleClientOptions,
  TlsOptions,
} from "./options.ts";
export { REASONS, type Reason } from "./reasons.ts";
export type { ListCall, ServiceClient, UnaryCall } from "./service-client.ts";
export { SERVICES } from "./services.ts";
export { toJson } from "./to-json.ts";
export { type VerifyWebhookOptions, verifyWebhook, WebhookError } from "./verify-webhook.ts";
export type { WatchOptions } from "./watch.ts";

/** A status as people read it: `SUCCEEDED`; its number where this client is older than the server. */
export function statusName(status: PaymentStatus): string {
  return PaymentStatusSchema.value[status]?.localName ?? String(status);
}
