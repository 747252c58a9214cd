import type { Client } from "@connectrpc/connect";
import { Context } from "@temporalio/activity";
import {
  Channel,
  type NotificationService,
  Template,
} from "#gen/notification/v1/notification_pb.ts";
import { onBehalfOf, PEER_TIMEOUT_MS } from "#kit/rpc/client.ts";
import { callPeer } from "#kit/temporal/failure.ts";
import type {
  NotificationActivities,
  NotificationChannel,
  NotificationTemplate,
} from "../contract.ts";

/** What Notification's activities call. */
export interface NotificationActivityDeps {
  /** Over the wire, or in process inside Notification itself. */
  readonly notification: Pick<Client<typeof NotificationService>, "send">;
}

const CHANNELS: Readonly<Record<NotificationChannel, Channel>> = {
  EMAIL: Channel.EMAIL,
  SMS: Channel.SMS,
};

const TEMPLATES: Readonly<Record<NotificationTemplate, Template>> = {
  PAYMENT_SUCCEEDED: Template.PAYMENT_SUCCEEDED,
  PAYMENT_FAILED: Template.PAYMENT_FAILED,
  PAYMENT_CANCELLED: Template.PAYMENT_CANCELLED,
  PAYMENT_REFUNDED: Template.PAYMENT_REFUNDED,
};

/** Notification's activities for any worker; see `NotificationActivities`. */
export function createNotificationActivities({
  notification,
}: NotificationActivityDeps): NotificationActivities {
  return {
    "notification::payment:notify": ({ tenant, channel, template, variables, ...message }) =>
      callPeer(async () => {
        const { cancellationSignal, info } = Context.current();
        const timeoutMs = Math.min(info.startToCloseTimeoutMs || PEER_TIMEOUT_MS, PEER_TIMEOUT_MS);
        await notification.send(
          {
            ...message,
            channel: CHANNELS[channel],
            template: TEMPLATES[template],
            variables: { ...variables },
          },
          onBehalfOf({ tenant }, { timeoutMs, signal: cancellationSignal }),
        );
        return {};
      }),
  };
}
