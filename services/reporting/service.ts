import { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { ReportingService } from "#gen/reporting/v1/reporting_pb.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { startRpcServer } from "#kit/rpc/server.ts";
import type { StartService } from "#kit/service.ts";
import type { ReportingConfig } from "./config.ts";
import { reportingReasons } from "./reasons.ts";
import { gatewayReader } from "./rpc/gateway-mapping.ts";
import { reportingRoutes } from "./rpc/router.ts";
import { openBooks } from "./store/books-store.ts";

/** Starts Reporting: its port. It owns no database and writes nothing. */
export const startReportingService: StartService<ReportingConfig> = async (config, platform) => {
  const log = platform.log.child({ service: "reporting" });
  const mongo = await platform.mongo();
  const database = (service: string): string => `${config.databasePrefix}_${service}`;
  const server = await startRpcServer({
    host: config.host,
    port: config.port,
    services: [ReportingService],
    routes: reportingRoutes({
      openBooks: (scope) => openBooks(mongo, database, scope),
      gateway: gatewayReader(
        createPeer(GatewayService, config.peers.gateway, platform.security.identity),
      ),
      clock: () => new Date(),
      messagesKeptMs: config.messagesKeptMs,
    }),
    reasons: reportingReasons,
    log,
    security: platform.security,
    ready: async () => {
      await mongo.db(database("payment")).command({ ping: 1 });
    },
  });
  return {
    name: "reporting",
    address: server.address,
    [Symbol.asyncDispose]: () => server.close(),
  };
};
