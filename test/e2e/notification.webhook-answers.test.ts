import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { DeliveryState, EndpointState } from "#gen/notification/v1/webhook_pb.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import { startReceiver } from "#test/support/webhook-receiver.ts";
import {
  arrived,
  deliveryIn,
  endpointAt,
  hooks,
  notification,
  on,
  receiver,
  tell,
  useWebhooks,
} from "./notification.support.ts";

useWebhooks();

describe("an endpoint that does not take events", () => {
  test("because it is gone for good is disabled by its 410, and nothing more is sent there", async () => {
    const at = await receiver();
    at.answer = () => 410;
    const { endpointId } = await endpointAt(at.url);
    await tell("succeeded");
    const dead = await deliveryIn(DeliveryState.DEAD, endpointId);
    expect(dead).toMatchObject({ attempts: 1, lastStatus: 410 });
    expect(dead.lastError).toBe(
      "answered 410: the endpoint is disabled; UpdateEndpoint enables it again",
    );
    const { endpoint } = await hooks().getEndpoint({ endpointId }, on());
    expect(endpoint?.state).toBe(EndpointState.DISABLED);
    const other = await receiver();
    await endpointAt(other.url);
    await arrived(other, await tell("failed"));
    expect(at.hooks).toHaveLength(1);
    at.answer = () => 200;
    const enable = { endpointId, url: at.url, state: EndpointState.ENABLED };
    await hooks().updateEndpoint(enable, on());
    await hooks().redeliver({ deliveryId: dead.deliveryId }, on());
    expect((await deliveryIn(DeliveryState.DELIVERED, endpointId)).lastStatus).toBe(200);
  });

  test.each([
    ["seconds", () => "3600"],
    ["a date", () => new Date(Date.now() + 3_600_000).toUTCString()],
  ])("and says when to come again by %s is left alone until then", async (_, header) => {
    const at = await receiver();
    at.answer = (__, response) => {
      response.writeHead(503, { "retry-after": header() }).end();
      return undefined;
    };
    const { endpointId } = await endpointAt(at.url);
    await tell("succeeded");
    const delivery = await waitUntil(async () => {
      const { deliveries } = await hooks().listDeliveries({ endpointId }, on());
      return deliveries.find(({ lastStatus }) => lastStatus === 503);
    });
    const inMs = timestampMs(delivery.nextTime ?? timestampFromMs(0)) - Date.now();
    expect(inMs).toBeGreaterThan(3_500_000);
    expect(inMs).toBeLessThan(3_700_000);
    expect(at.hooks).toHaveLength(1);
  });

  test("because nothing is there, or nothing answers, tells the same either way: no port is scanned by it", async () => {
    await notification().restart({ SETTLE_WEBHOOK_TIMEOUT: "200ms" });
    const silent = await receiver();
    silent.answer = () => undefined;
    const closed = await startReceiver();
    await closed[Symbol.asyncDispose]();
    const ends = [silent.url, closed.url, closed.url.replace("http:", "https:")];
    const ids = await Promise.all(ends.map(async (url) => (await endpointAt(url)).endpointId));
    await tell("succeeded");
    for (const endpointId of ids) {
      const delivery = await waitUntil(async () => {
        const { deliveries } = await hooks().listDeliveries({ endpointId }, on());
        return deliveries.find(({ lastError }) => lastError !== "");
      });
      expect(delivery).toMatchObject({ lastStatus: 0, lastError: "no answer" });
    }
    await notification().restart();
  });
});
