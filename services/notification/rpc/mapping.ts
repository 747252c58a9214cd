import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  Channel,
  type NotificationSchema,
  NotificationStatus,
  type SendRequest,
  Template,
} from "#gen/notification/v1/notification_pb.ts";
import { refuseField } from "#kit/refusal.ts";
import type * as domain from "../domain/notification.ts";

const CHANNELS: Readonly<Record<domain.Channel, Channel>> = {
  EMAIL: Channel.EMAIL,
  SMS: Channel.SMS,
};

const TEMPLATES: Readonly<Record<domain.Template, Template>> = {
  PAYMENT_SUCCEEDED: Template.PAYMENT_SUCCEEDED,
  PAYMENT_FAILED: Template.PAYMENT_FAILED,
  PAYMENT_CANCELLED: Template.PAYMENT_CANCELLED,
  PAYMENT_REFUNDED: Template.PAYMENT_REFUNDED,
};

const STATUSES: Readonly<Record<domain.Status, NotificationStatus>> = {
  QUEUED: NotificationStatus.QUEUED,
  SENT: NotificationStatus.SENT,
  FAILED: NotificationStatus.FAILED,
};

export function notificationMessage(
  notification: domain.Notification,
): MessageInitShape<typeof NotificationSchema> {
  const { content, sendTime } = notification;
  return {
    notificationId: notification.id,
    recipient: content.recipient,
    channel: CHANNELS[content.channel],
    template: TEMPLATES[content.template],
    variables: Object.fromEntries(content.variables),
    paymentId: content.paymentId,
    status: STATUSES[notification.status],
    subject: notification.subject,
    body: notification.body,
    attempts: notification.attempts,
    lastError: notification.lastError,
    createTime: timestampFromDate(notification.createTime),
    ...(sendTime && { sendTime: timestampFromDate(sendTime) }),
  };
}

export function toContent(request: SendRequest): domain.Content {
  return {
    recipient: request.recipient,
    channel: request.channel === Channel.SMS ? "SMS" : "EMAIL",
    template: toTemplate(request.template),
    variables: new Map(Object.entries(request.variables)),
    paymentId: request.paymentId,
  };
}

/** Undefined for UNSPECIFIED, which means every status. */
export function toStatus(status: NotificationStatus): domain.Status | undefined {
  if (status === NotificationStatus.QUEUED) return "QUEUED";
  if (status === NotificationStatus.SENT) return "SENT";
  return status === NotificationStatus.FAILED ? "FAILED" : undefined;
}

function toTemplate(template: Template): domain.Template {
  if (template === Template.PAYMENT_SUCCEEDED) return "PAYMENT_SUCCEEDED";
  if (template === Template.PAYMENT_FAILED) return "PAYMENT_FAILED";
  if (template === Template.PAYMENT_CANCELLED) return "PAYMENT_CANCELLED";
  if (template === Template.PAYMENT_REFUNDED) return "PAYMENT_REFUNDED";
  throw refuseField("template", "must be one of the templates");
}
