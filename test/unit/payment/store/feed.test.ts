import { MongoClient } from "mongodb";
import { expect, test } from "vitest";
import { createLog } from "#kit/log.ts";
import { PaymentFeed } from "#services/payment/store/feed.ts";
import { freshPrefix, mongoUri } from "#test/support/env.ts";

test("who begins to listen while the service stops is told to ask elsewhere, not that there is a bug", async () => {
  await using client = await MongoClient.connect(mongoUri());
  const feed = new PaymentFeed(client.db(`${freshPrefix()}_payment`), createLog("silent"));
  const listening = feed.listen("a-payment", () => undefined);
  const refused = expect(listening).rejects.toMatchObject({ reason: "SHUTTING_DOWN" });
  await feed[Symbol.asyncDispose]();
  await refused;
});
