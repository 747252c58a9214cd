import type { DescService } from "@bufbuild/protobuf";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { KeyService } from "#gen/auth/v1/keys_pb.ts";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { NotificationService } from "#gen/notification/v1/notification_pb.ts";
import { WebhookService } from "#gen/notification/v1/webhook_pb.ts";
import {
  type Payment,
  PaymentService,
  type PaymentStatus,
  PaymentStatusSchema,
} from "#gen/payment/v1/payment_pb.ts";
import { ReportingService } from "#gen/reporting/v1/reporting_pb.ts";
import { DEFAULT_RETRY, DEFAULT_TIMEOUT_MS, type SettleClientOptions } from "./options.ts";
import { createServiceClient, type ServiceClient } from "./service-client.ts";
import { type OpenTransport, openTransport } from "./transport.ts";
import { type WatchOptions, watchPayment } from "./watch.ts";

export { Code } from "@connectrpc/connect";
export {
  CaptureMode,
  type Payment,
  PaymentStatus,
  PaymentStep,
  type Refund,
  RefundStatus,
  WaitUntil,
} from "#gen/payment/v1/payment_pb.ts";
export { type FieldError, isReason, SettleError } from "./errors.ts";
export type {
  CallOptions,
  Protocol,
  RetryPolicy,
  SettleClientOptions,
  TlsOptions,
} from "./options.ts";
export { REASONS, type Reason } from "./reasons.ts";
export type { ServiceClient } from "./service-client.ts";
export type { WatchOptions } from "./watch.ts";

/** A status as people read it: `SUCCEEDED`; its number where this client is older than the server. */
export function statusName(status: PaymentStatus): string {
  return PaymentStatusSchema.value[status]?.localName ?? String(status);
}

/** The services of Settle, by their names in a client. */
export const SERVICES = {
  payment: PaymentService,
  account: AccountService,
  fraud: FraudService,
  notification: NotificationService,
  webhooks: WebhookService,
  gateway: GatewayService,
  reporting: ReportingService,
  keys: KeyService,
} as const satisfies Record<string, DescService>;

/** Every service of Settle over one connection; close it when done. */
export type SettleClient = {
  readonly [N in keyof typeof SERVICES]: ServiceClient<(typeof SERVICES)[N]>;
} & {
  /** A payment after each change until it is final, over lost connections and restarts. */
  watchPayment(paymentId: string, options?: WatchOptions): AsyncGenerator<Payment>;
  /** Ends the connections; calls that run fail as CANCELED. */
  close(): void;
} & Disposable;

/**
 * A client of Settle. Calls that are safe by contract are tried again with growing, random pauses until an answer or
 * the end of `timeoutMs`; mutations are safe because a missing `request_id` is set. Errors are SettleErrors.
 */
export function createSettleClient(options: SettleClientOptions): SettleClient {
  const open = new Map<string, OpenTransport>();
  const policy = { ...DEFAULT_RETRY, ...options.retry };
  const defaults = { policy, timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS };
  const client = <S extends DescService>(name: keyof typeof SERVICES, service: S) => {
    const baseUrl = options.services?.[name] ?? options.baseUrl;
    const opened = open.get(baseUrl) ?? openTransport(baseUrl, options);
    open.set(baseUrl, opened);
    return createServiceClient(service, opened.transport, defaults);
  };
  const payment = client("payment", SERVICES.payment);
  const close = (): void => {
    for (const transport of open.values()) transport.close();
  };
  return {
    payment,
    account: client("account", SERVICES.account),
    fraud: client("fraud", SERVICES.fraud),
    notification: client("notification", SERVICES.notification),
    webhooks: client("webhooks", SERVICES.webhooks),
    gateway: client("gateway", SERVICES.gateway),
    reporting: client("reporting", SERVICES.reporting),
    keys: client("keys", SERVICES.keys),
    watchPayment: (paymentId, watch) => watchPayment(payment.watch, policy, paymentId, watch),
    close,
    [Symbol.dispose]: close,
  };
}
