import { fromJson } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import {
  DeliveryState,
  EndpointState,
  WebhookEventSchema,
  WebhookService,
} from "#gen/notification/v1/webhook_pb.ts";
import { createPeer, onBehalfOf } from "#kit/rpc/client.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import { startReceiver } from "#test/support/webhook-receiver.ts";
import {
  arrived,
  deliveryIn,
  endpointAt,
  fresh,
  hooks,
  notification,
  on,
  receiver,
  tell,
  useWebhooks,
  verify,
} from "./notification.support.ts";

useWebhooks();

describe("events", () => {
  test("arrive signed, as the JSON of WebhookEvent, so that a receiver can check and read them", async () => {
    const at = await receiver();
    const { secret } = await endpointAt(at.url);
    const eventId = await tell("succeeded");
    const hook = await arrived(at, eventId);
    expect(verify(hook, secret)).toBe("ok");
    expect(verify(hook, "another-secret")).toBe("forged");
    const event = fromJson(WebhookEventSchema, JSON.parse(hook.body));
    expect(event).toMatchObject({ eventId, type: "payment.succeeded", sequence: 1 });
    expect(event.data?.payment).toMatchObject({
      accountId: "alice",
      status: "SUCCEEDED",
      amount: { currencyCode: "USD", minorUnits: 1250n },
    });
  });

  test("of one payment are numbered without a gap, also when two instances record them", async () => {
    await using other = await notification().another();
    expect(other.name).toBe("notification");
    const at = await receiver();
    await endpointAt(at.url);
    const paymentId = fresh("payment");
    const first = await tell("succeeded", paymentId);
    const refunds = await Promise.all(
      Array.from({ length: 20 }, () => tell("refunded", paymentId)),
    );
    const all = await Promise.all([first, ...refunds].map((id) => arrived(at, id)));
    const numbers = all.map(({ event }) => event.sequence).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
    expect(all[0]?.event.sequence).toBe(1);
  });

  test("go to the endpoints of their tenant that asked for their type, and to no other", async () => {
    const [all, some, disabled] = [await receiver(), await receiver(), await receiver()];
    const foreign = await receiver();
    await endpointAt(all.url);
    await endpointAt(some.url, { eventTypes: ["payment.refunded"] });
    const off = await endpointAt(disabled.url);
    const disable = { endpointId: off.endpointId, url: disabled.url };
    await hooks().updateEndpoint({ ...disable, state: EndpointState.DISABLED }, on());
    await hooks().createEndpoint({ url: foreign.url }, onBehalfOf({ tenant: "foreign" }));
    const paymentId = fresh("payment");
    const succeeded = await tell("succeeded", paymentId);
    const refunded = await tell("refunded", paymentId);
    await Promise.all([arrived(all, succeeded), arrived(all, refunded), arrived(some, refunded)]);
    expect(some.hooks).toHaveLength(1);
    expect([disabled.hooks, foreign.hooks]).toEqual([[], []]);
  });

  test("wait while their endpoint is down, survive a restart, and arrive when it is back", async () => {
    const down = await startReceiver();
    await down[Symbol.asyncDispose]();
    const { endpointId } = await endpointAt(down.url);
    const eventId = await tell("failed");
    const waiting = await waitUntil(async () => {
      const { deliveries } = await hooks().listDeliveries({ endpointId }, on());
      return deliveries.find(({ lastError, attempts }) => lastError !== "" && attempts > 1);
    });
    expect(waiting).toMatchObject({ state: DeliveryState.PENDING, lastStatus: 0 });
    await notification().restart();
    const at = await receiver(down.port);
    await arrived(at, eventId);
    const done = await deliveryIn(DeliveryState.DELIVERED, endpointId);
    expect(done).toMatchObject({ eventId, lastStatus: 200, lastError: "" });
  });
});

describe("an endpoint that does not take events", () => {
  test("gets them again, then they are dead, and Redeliver sends them anew", async () => {
    await notification().restart({ SETTLE_WEBHOOK_GIVE_UP: "400ms" });
    const at = await receiver();
    at.answer = () => 503;
    const { endpointId } = await endpointAt(at.url);
    await tell("cancelled");
    const dead = await deliveryIn(DeliveryState.DEAD, endpointId);
    expect(dead.attempts).toBeGreaterThan(1);
    expect(dead).toMatchObject({ lastStatus: 503, lastError: expect.stringMatching(/^given up/) });
    at.answer = () => 204;
    const call = { deliveryId: dead.deliveryId, requestId: "again" };
    const { delivery } = await hooks().redeliver(call, on());
    expect(delivery).toMatchObject({ state: DeliveryState.PENDING, attempts: 0 });
    const done = await deliveryIn(DeliveryState.DELIVERED, endpointId);
    expect(done).toMatchObject({ deliveryId: dead.deliveryId, attempts: 1, lastStatus: 204 });
    const again = await hooks().redeliver(call, on());
    expect(again.delivery?.state).toBe(DeliveryState.PENDING);
    expect((await deliveryIn(DeliveryState.DELIVERED, endpointId)).attempts).toBe(1);
    await notification().restart();
  });

  test("by a redirect counts as failed, and nobody follows it", async () => {
    const inside = await receiver();
    const at = await receiver();
    at.answer = (_, response) => {
      response.writeHead(307, { location: inside.url }).end();
      return undefined;
    };
    const { endpointId } = await endpointAt(at.url);
    await tell("succeeded");
    const failing = await waitUntil(async () => {
      const { deliveries } = await hooks().listDeliveries({ endpointId }, on());
      return deliveries.find(({ lastStatus }) => lastStatus === 307);
    });
    expect(failing.state).toBe(DeliveryState.PENDING);
    expect(inside.hooks).toEqual([]);
  });

  test("because it is slow gets few requests at once, and others get theirs meanwhile", async () => {
    const slow = await receiver();
    slow.answer = () => undefined;
    const fast = await receiver();
    await endpointAt(slow.url);
    for (let each = 0; each < 12; each += 1) await tell("succeeded");
    await waitUntil(async () => slow.hooks.length === 2);
    await endpointAt(fast.url);
    await arrived(fast, await tell("succeeded"));
    expect(slow.openMax).toBe(2);
  });
});

describe("secrets", () => {
  test("of before and after a rotation both sign during the overlap, so that no receiver misses an event", async () => {
    const at = await receiver();
    const { endpointId, secret } = await endpointAt(at.url);
    const rotated = await hooks().rotateSecret({ endpointId, requestId: "rotate" }, on());
    expect(rotated.endpoint?.activeSecrets).toBe(2);
    const both = await arrived(at, await tell("succeeded"));
    expect([verify(both, secret), verify(both, rotated.secret)]).toEqual(["ok", "ok"]);
    const repeat = await hooks().rotateSecret({ endpointId, requestId: "rotate" }, on());
    expect(repeat.secret).toBe(rotated.secret);

    const last = await hooks().rotateSecret({ endpointId, overlap: durationFromMs(0) }, on());
    const one = await arrived(at, await tell("succeeded"));
    expect([secret, rotated.secret, last.secret].map((each) => verify(one, each))).toEqual([
      "forged",
      "forged",
      "ok",
    ]);
  });

  test("are shown by the call that makes them and by no other, and lie nowhere in the clear", async () => {
    const requestId = "with-a-secret";
    const { endpointId, secret } = await endpointAt("http://127.0.0.1:9/hooks", { requestId });
    expect(secret).toMatch(/^whsec_[\w-]{43}$/);
    const shown = [
      await hooks().getEndpoint({ endpointId }, on()),
      await hooks().listEndpoints({}, on()),
    ];
    const text = JSON.stringify(shown, (_, value) => (typeof value === "bigint" ? "" : value));
    expect(text).not.toContain(secret.slice(6));
    const db = await notification().platform.database("notification");
    const endpoint = await db.collection("webhook_endpoints").findOne({ "_id.id": endpointId });
    const request = await db.collection("requests").findOne({ "_id.requestId": requestId });
    const answer = Buffer.from(request?.["answer"].buffer).toString("latin1");
    expect(endpoint?.["secrets"]).toHaveLength(1);
    expect(answer.length).toBeGreaterThan(secret.length);
    const stored = `${endpoint?.["secrets"][0].secret} ${answer}`;
    for (const clear of [secret, Buffer.from(secret).toString("base64url")]) {
      expect(stored).not.toContain(clear);
    }
  });
});

describe("endpoints", () => {
  test("can be changed with an etag, and a stale one is refused", async () => {
    const { endpointId, etag } = await endpointAt("http://127.0.0.1:9/a");
    const change = { endpointId, etag, url: "http://127.0.0.1:9/b", description: "second" };
    const { endpoint } = await hooks().updateEndpoint(change, on());
    expect(endpoint).toMatchObject({ url: change.url, description: "second" });
    expect(endpoint?.etag).not.toBe(etag);
    const reasons = await Promise.all([
      hooks().updateEndpoint(change, on()).catch(reasonOf),
      hooks().deleteEndpoint({ endpointId, etag }, on()).catch(reasonOf),
      hooks().rotateSecret({ endpointId, etag }, on()).catch(reasonOf),
    ]);
    expect(reasons).toEqual(["ETAG_MISMATCH", "ETAG_MISMATCH", "ETAG_MISMATCH"]);
  });

  test("that are deleted are gone, also for a repeat, and what waited for them is dead", async () => {
    const { endpointId } = await endpointAt("http://127.0.0.1:9/hooks");
    await tell("succeeded");
    const { deliveryId } = await deliveryIn(DeliveryState.PENDING, endpointId);
    const call = { endpointId, requestId: "delete" };
    await hooks().deleteEndpoint(call, on());
    await hooks().deleteEndpoint(call, on());
    expect(await deliveryIn(DeliveryState.DEAD, endpointId)).toMatchObject({ deliveryId });
    const reasons = await Promise.all([
      hooks().getEndpoint({ endpointId }, on()).catch(reasonOf),
      hooks().deleteEndpoint({ endpointId }, on()).catch(reasonOf),
      hooks().redeliver({ deliveryId }, on()).catch(reasonOf),
      hooks().redeliver({ deliveryId: "none" }, on()).catch(reasonOf),
    ]);
    expect(reasons).toEqual([
      "ENDPOINT_NOT_FOUND",
      "ENDPOINT_NOT_FOUND",
      "ENDPOINT_NOT_FOUND",
      "DELIVERY_NOT_FOUND",
    ]);
    expect((await hooks().listEndpoints({}, on())).endpoints).toEqual([]);
  });

  test("are one per request_id and are listed page by page, each once", async () => {
    const url = "http://127.0.0.1:9/hooks";
    const made = await Promise.all(
      ["a", "a", "b", "c"].map(async (requestId) => {
        const call = () => hooks().createEndpoint({ url, requestId }, on());
        const retry = async () => (await call()).endpoint?.endpointId;
        return waitUntil(retry, { what: "the first call's answer", everyMs: 10 });
      }),
    );
    expect(new Set(made).size).toBe(3);
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await hooks().listEndpoints({ pageSize: 1, pageToken }, on());
      seen.push(...page.endpoints.map(({ endpointId }) => endpointId));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen.toSorted()).toEqual([...new Set(made)].toSorted());
  });

  test.each([
    "ftp://example.com/",
    "https://user:secret@example.com/",
    "not a url",
    "https://example.com/#part",
  ])("at %s are refused, since nothing can be sent there safely", async (url) => {
    expect(await hooks().createEndpoint({ url }, on()).catch(reasonOf)).toBe("WEBHOOK_URL_REFUSED");
  });

  test("on private addresses or without TLS are refused unless the configuration allows it", async () => {
    await using strict = await notification().another({
      SETTLE_WEBHOOK_ALLOW_PRIVATE: "0",
      SETTLE_WEBHOOK_ALLOW_HTTP: "0",
    });
    const peer = createPeer(WebhookService, `http://${strict.address}`);
    const refused = (url: string) => peer.createEndpoint({ url }, on()).catch(reasonOf);
    for (const url of [
      "http://example.com/",
      "https://127.0.0.1/",
      "https://2130706433/",
      "https://[::ffff:10.0.0.1]/",
      "https://169.254.169.254/latest/meta-data",
      "https://localhost/",
    ]) {
      expect([url, await refused(url)]).toEqual([url, "WEBHOOK_URL_REFUSED"]);
    }
    const fine = await peer.createEndpoint({ url: "https://example.com/hooks" }, on());
    expect(fine.endpoint?.state).toBe(EndpointState.ENABLED);
  });
});
