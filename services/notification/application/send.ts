import type { Scope } from "#kit/pure/scope.ts";
import { Refusal, refuseField } from "#kit/refusal.ts";
import { type Content, type Notification, sameContent } from "../domain/notification.ts";
import { addressOf } from "../domain/recipient.ts";
import { render } from "../domain/templates.ts";
import type { NotificationDeps } from "./deps.ts";

/**
 * Stores a message once per id and answers at once; delivery comes later. A repeat gets the first answer: the message
 * as it was stored, however far its delivery is (Get tells that). Fails with NOTIFICATION_ID_REUSED, and with INVALID_FIELD for a recipient the channel cannot reach.
 */
export async function send(
  deps: NotificationDeps,
  scope: Scope,
  id: string,
  content: Content,
): Promise<Notification> {
  const address = addressOf(content.recipient, content.channel);
  if (!address.ok) {
    const wanted = content.channel === "EMAIL" ? "an e-mail address" : "a phone number in E.164";
    throw refuseField("recipient", `must be an account id or ${wanted}`, address.reason);
  }
  const stored = await deps.store.insert(scope, {
    id,
    content,
    address: address.value,
    ...render(content),
    status: "QUEUED",
    attempts: 0,
    lastError: "",
    createTime: deps.clock(),
    sendTime: undefined,
  });
  if (!sameContent(stored.content, content)) {
    throw new Refusal("NOTIFICATION_ID_REUSED", {
      message: `Notification ${id} is another message; take a new notification_id.`,
      metadata: { notification_id: id },
    });
  }
  if (stored.status === "QUEUED") deps.wakeSender();
  return { ...stored, status: "QUEUED", attempts: 0, lastError: "", sendTime: undefined };
}
