import { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { startLoop } from "#kit/loop.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import { startRpcServer } from "#kit/rpc/server.ts";
import type { StartService } from "#kit/service.ts";
import { deliverCallbacks } from "./application/deliver-callbacks.ts";
import type { GatewayDeps } from "./application/deps.ts";
import type { GatewayConfig } from "./config.ts";
import { gatewayReasons } from "./reasons.ts";
import { gatewayRoutes } from "./rpc/router.ts";
import { openBook } from "./store/book.ts";
import { gatewayMigrations } from "./store/migrations.ts";
import { gatewayRetention } from "./store/retention.ts";

/** How often the book is asked for callbacks that are due, in milliseconds. */
const CALLBACK_INTERVAL_MS = 200;

/** Starts the mock provider: its book, its port and the sender of its callbacks. */
export const startGatewayService: StartService<GatewayConfig> = async (config, platform) => {
  const log = platform.log.child({ service: "gateway" });
  const db = await platform.database("gateway");
  await migrate(db, gatewayMigrations, gatewayRetention(config.callbacksKeptMs));
  const closing = new AbortController();
  const deps: GatewayDeps = {
    book: openBook(await platform.mongo(), db),
    config,
    log,
    certificates: platform.security.identity.certificates,
    now: () => new Date(),
    closing: closing.signal,
  };
  const server = await startRpcServer({
    host: config.host,
    port: config.port,
    services: [GatewayService],
    routes: gatewayRoutes(deps),
    reasons: gatewayReasons,
    log,
    security: platform.security,
    ready: async () => {
      await db.command({ ping: 1 });
    },
  });
  const sender = startLoop({
    name: "gateway callbacks",
    intervalMs: CALLBACK_INTERVAL_MS,
    log,
    run: (signal) => deliverCallbacks(deps, signal),
  });
  return {
    name: "gateway",
    address: server.address,
    async [Symbol.asyncDispose]() {
      // Calls that hang by their behaviour would use up the whole time of the drain.
      closing.abort();
      await server.close();
      await sender.stop();
    },
  };
};
