import type { DescService } from "@bufbuild/protobuf";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { KeyService } from "#gen/auth/v1/keys_pb.ts";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { NotificationService } from "#gen/notification/v1/notification_pb.ts";
import { WebhookService } from "#gen/notification/v1/webhook_pb.ts";
import { PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { ReportingService } from "#gen/reporting/v1/reporting_pb.ts";

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

/** Name of a service in a client. */
export type ClientServiceName = keyof typeof SERVICES;
