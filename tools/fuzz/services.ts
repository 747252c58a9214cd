import type { DescService } from "@bufbuild/protobuf";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { KeyService } from "#gen/auth/v1/keys_pb.ts";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { NotificationService } from "#gen/notification/v1/notification_pb.ts";
import { WebhookService } from "#gen/notification/v1/webhook_pb.ts";
import { PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { ReportingService } from "#gen/reporting/v1/reporting_pb.ts";
import type { ServiceName } from "#kit/config.ts";

/** Every service with the name of the process that serves it. */
export const SERVICE_DESCRIPTORS: readonly {
  readonly name: ServiceName;
  readonly service: DescService;
}[] = [
  { name: "account", service: AccountService },
  { name: "fraud", service: FraudService },
  { name: "notification", service: NotificationService },
  { name: "notification", service: WebhookService },
  { name: "gateway", service: GatewayService },
  { name: "payment", service: PaymentService },
  { name: "reporting", service: ReportingService },
  { name: "edge", service: KeyService },
];
