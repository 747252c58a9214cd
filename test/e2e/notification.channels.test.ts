import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  Channel,
  NotificationService,
  NotificationStatus,
  Template,
} from "#gen/notification/v1/notification_pb.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { readNotificationConfig } from "#services/notification/config.ts";
import { startNotificationService } from "#services/notification/service.ts";
import { type Alone, startAlone } from "#test/support/alone.ts";
import { waitUntil } from "#test/support/wait-until.ts";

interface Post {
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let alone: Alone;
let smtp: SMTPServer;
let sms: Server;
const mails: { to: string[]; raw: string }[] = [];
const posts: Post[] = [];
/** Answers of the outside world, taken one by one; empty means yes. */
const mailReplies: number[] = [];
const smsReplies: number[] = [];
let smtpGone = false;

beforeAll(async () => {
  smtp = smtpServer();
  await new Promise<void>((resolve) => smtp.listen(0, "127.0.0.1", resolve));
  sms = createServer(answerSms);
  await new Promise<void>((resolve) => sms.listen(0, "127.0.0.1", resolve));
  alone = await startAlone(readNotificationConfig, startNotificationService, {
    SETTLE_SMTP_URL: `smtp://127.0.0.1:${portOf(smtp.server.address())}`,
    SETTLE_SMS_URL: `http://127.0.0.1:${portOf(sms.address())}/messages`,
    SETTLE_SMS_TOKEN: "let-me-in",
    SETTLE_NOTIFICATION_RETRY_MIN: "20ms",
    SETTLE_NOTIFICATION_RETRY_MAX: "50ms",
    SETTLE_NOTIFICATION_INTERVAL: "20ms",
  });
});
afterAll(async () => {
  await alone[Symbol.asyncDispose]();
  await new Promise<void>((resolve) => smtp.close(resolve));
  sms.closeAllConnections();
  await new Promise((resolve) => sms.close(resolve));
});

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("not listening");
  return address.port;
}

function smtpServer(): SMTPServer {
  return new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onConnect: (_, callback) => callback(smtpGone ? replyError(421) : undefined),
    onRcptTo: ({ address }, _, callback) =>
      callback(address.startsWith("nobody") ? replyError(550) : undefined),
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ to, raw: Buffer.concat(chunks).toString() });
        const reply = mailReplies.shift();
        callback(reply === undefined ? undefined : replyError(reply));
      });
    },
  });
}

function replyError(responseCode: number): Error {
  return Object.assign(new Error("no"), { responseCode });
}

function answerSms(request: IncomingMessage, response: import("node:http").ServerResponse): void {
  let body = "";
  request.on("data", (chunk: Buffer) => {
    body += chunk.toString();
  });
  request.on("end", () => {
    posts.push({ headers: request.headers, body });
    const status = smsReplies.shift() ?? 202;
    if (status === 0) request.socket.destroy();
    else response.writeHead(status).end("{}");
  });
}

async function deliver(
  notificationId: string,
  recipient: string,
  channel: Channel,
  status: NotificationStatus = NotificationStatus.SENT,
) {
  const client = createPeer(NotificationService, alone.url);
  await client.send({
    notificationId,
    recipient,
    channel,
    template: Template.PAYMENT_FAILED,
    variables: {
      amount: "1.00 EUR",
      failure: "Zu wenig Guthaben: 5 € fehlen\r\nBcc: eve@example.org",
    },
    paymentId: notificationId.split(":")[0] ?? "",
  });
  return waitUntil(async () => {
    const { notification } = await client.get({ notificationId });
    return notification?.status === status ? notification : undefined;
  });
}

const header = (raw: string, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)$`, "im").exec(raw)?.[1]?.trim();

describe("e-mail", () => {
  test("reaches the SMTP server with text, sender and an id of its own", async () => {
    await deliver("p1:failed", "ann@example.org", Channel.EMAIL);
    const mail = mails.find(({ to }) => to.includes("ann@example.org"));
    expect(mail?.to).toEqual(["ann@example.org"]);
    expect(header(mail?.raw ?? "", "From")).toBe("Settle <no-reply@settle.test>");
    expect(header(mail?.raw ?? "", "Subject")).toBe("Your payment of 1.00 EUR failed");
    expect(header(mail?.raw ?? "", "X-Notification-Id")).toBe("p1:failed");
    expect(header(mail?.raw ?? "", "Bcc")).toBeUndefined();
  });

  test("keeps its Message-ID when the server took it and the answer got lost, so that readers drop the copy", async () => {
    mailReplies.push(451, 451);
    const sent = await deliver("p2:failed", "ben@example.org", Channel.EMAIL);
    expect(sent.attempts).toBe(3);
    const copies = mails.filter(({ to }) => to.includes("ben@example.org"));
    const ids = copies.map(({ raw }) => header(raw, "Message-ID"));
    expect(copies).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^<[0-9a-f]+@settle>$/);
  });

  test("is given up when the server refuses the recipient for good", async () => {
    const failed = await deliver(
      "p3:failed",
      "nobody@example.org",
      Channel.EMAIL,
      NotificationStatus.FAILED,
    );
    expect(failed.attempts).toBe(1);
    expect(failed.lastError).toContain("550");
  });

  test("waits while the server is away and comes when it is back", async () => {
    smtpGone = true;
    for (const connection of smtp.connections) connection.close();
    const away = deliver("p4:failed", "cat@example.org", Channel.EMAIL);
    const client = createPeer(NotificationService, alone.url);
    await waitUntil(async () => {
      const { notification } = await client
        .get({ notificationId: "p4:failed" })
        .catch(() => ({ notification: undefined }));
      return notification?.lastError ? true : undefined;
    });
    smtpGone = false;
    expect((await away).attempts).toBeGreaterThan(1);
    expect(mails.filter(({ to }) => to.includes("cat@example.org"))).toHaveLength(1);
  });
});

describe("SMS", () => {
  const postsOf = (key: string) =>
    posts.filter(({ headers }) => headers["idempotency-key"] === `default/${key}`);

  test("reaches the provider as JSON with token and key", async () => {
    await deliver("s1:failed", "+4915112345678", Channel.SMS);
    const [post] = postsOf("s1:failed");
    expect(post?.headers).toMatchObject({
      authorization: "Bearer let-me-in",
      "content-type": "application/json",
    });
    expect(JSON.parse(post?.body ?? "")).toEqual({
      to: "+4915112345678",
      text: "Your payment of 1.00 EUR failed. Nothing was charged. Reason: Zu wenig Guthaben: 5 € fehlen Bcc: eve@example.org",
    });
  });

  test.each([
    ["an error of the provider", 503],
    ["too many requests", 429],
    ["a token that is not valid yet", 401],
    ["a connection that breaks after the message was taken", 0],
  ])("repeats with the same key after %s, so that one message results", async (_, status) => {
    smsReplies.push(status, status);
    const id = `s2-${status}:failed`;
    const sent = await deliver(id, "+4915112345678", Channel.SMS);
    expect(sent.attempts).toBe(3);
    expect(postsOf(id)).toHaveLength(3);
  });

  test("is given up when the provider refuses the message", async () => {
    smsReplies.push(422);
    const failed = await deliver(
      "s3:failed",
      "+4915112345678",
      Channel.SMS,
      NotificationStatus.FAILED,
    );
    expect(failed).toMatchObject({ attempts: 1, lastError: "the SMS provider answered 422" });
  });

  test("reaches an account at a number of no country, so that development texts nobody", async () => {
    await deliver("s4:failed", "alice", Channel.SMS);
    const [post] = postsOf("s4:failed");
    expect(JSON.parse(post?.body ?? "").to).toMatch(/^\+999\d{10}$/);
  });
});
