import type { SendMail } from "#kit/mail.ts";
import type { SendSms } from "#kit/sms.ts";
import type { NotificationStore } from "../store/port.ts";
import { type Deliver, PermanentFailure } from "./deliver.ts";

/** Writes into the embedded inbox, the default of development: readable without any provider. */
export function createEmbedded(store: NotificationStore, clock: () => Date): Deliver {
  return ({ tenant, attempt: _, ...mail }) =>
    store.insertIntoInbox({ tenant }, { ...mail, receiveTime: clock() });
}

/** Sends an e-mail whose Message-ID is made of the notification's id, by which mail readers drop a second copy. */
export function createEmail(sendMail: SendMail): Deliver {
  return async ({ tenant, notificationId, address, subject, body }) => {
    const answer = await sendMail({
      to: address,
      subject,
      text: body,
      messageId: `<${hex(`${tenant}/${notificationId}`)}@settle>`,
      headers: { "X-Notification-Id": notificationId },
    });
    if (answer.kind === "REFUSED") throw new PermanentFailure(answer.error);
  };
}

/** Sends an SMS with the notification's id as Idempotency-Key, by which the provider drops a second copy. */
export function createSms(sendSms: SendSms): Deliver {
  return async ({ tenant, notificationId, address, body }, signal) => {
    const key = `${tenant}/${notificationId}`;
    const answer = await sendSms({ to: address, text: body, idempotencyKey: key }, signal);
    if (answer.kind === "REFUSED") throw new PermanentFailure(answer.error);
  };
}

/** One channel for each way to travel. */
export function createRouting(email: Deliver, sms: Deliver): Deliver {
  return (delivery, signal) =>
    delivery.channel === "EMAIL" ? email(delivery, signal) : sms(delivery, signal);
}

/** A Message-ID allows few characters; ids of two tenants must not meet. */
function hex(text: string): string {
  return Buffer.from(text).toString("hex");
}
