import { readFile } from "node:fs/promises";
import type { DescService } from "@bufbuild/protobuf";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { KeyService } from "#gen/auth/v1/keys_pb.ts";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { NotificationService } from "#gen/notification/v1/notification_pb.ts";
import { WebhookService } from "#gen/notification/v1/webhook_pb.ts";
import { PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { ReportingService } from "#gen/reporting/v1/reporting_pb.ts";
import { keyRoutes } from "#kit/auth/key-routes.ts";
import { createKeyStore, KEYS_DATABASE, keyMigrations } from "#kit/auth/key-store.ts";
import type { PeerUrls } from "#kit/config.ts";
import { requestsRetention } from "#kit/idempotency/request.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import type { Platform } from "#kit/platform.ts";
import { forwardRoutes } from "#kit/rpc/forward.ts";
import type { HttpHandler } from "#kit/rpc/http-port.ts";
import { peerHealth } from "#kit/rpc/peer-health.ts";
import { createPeerPool, type PeerPool } from "#kit/rpc/peer-pool.ts";
import { startRpcServer } from "#kit/rpc/server.ts";
import type { StartService } from "#kit/service.ts";
import { codecEndpoint } from "#kit/temporal/codec-endpoint.ts";
import { createPayloadCodec } from "#kit/temporal/payload-codec.ts";
import type { EdgeConfig } from "./config.ts";
import { edgeReasons } from "./reasons.ts";
import { edgePages } from "./rpc/pages.ts";

/** Written by `npm run docs`. */
const OPENAPI = new URL("../../docs/api/openapi.yaml", import.meta.url);

/** Who answers for which services. A new service is one line here and its proto. */
const PEERS: readonly (readonly [Exclude<keyof PeerUrls, "edge">, readonly DescService[]])[] = [
  ["account", [AccountService]],
  ["fraud", [FraudService]],
  ["notification", [NotificationService, WebhookService]],
  ["payment", [PaymentService]],
  ["reporting", [ReportingService]],
  ["gateway", [GatewayService]],
];

/** What is not the contract's: pages to look at, and what Temporal's page asks to read payloads. */
async function plainPaths({ payloadKeys }: EdgeConfig, platform: Platform): Promise<HttpHandler> {
  const pages = edgePages(await readFile(OPENAPI));
  if (!payloadKeys?.length) return pages;
  const codec = codecEndpoint(createPayloadCodec(payloadKeys), platform.security.authority);
  return (...call) => pages(...call) || codec(...call);
}

/** One service behind the edge. */
interface Behind {
  readonly service: DescService;
  readonly pool: PeerPool;
  /** Throws unless it is serving. */
  readonly ready: () => Promise<void>;
}

/** Starts the edge: one address for every service. It keeps nothing but the API keys. */
export const startEdgeService: StartService<EdgeConfig> = async (config, platform) => {
  const log = platform.log.child({ service: "edge" });
  // Certificates only: with a key of its own the edge would lend its rights to a caller who brings none.
  const identity = { certificates: platform.security.identity.certificates };
  const db = await platform.database(KEYS_DATABASE);
  await migrate(db, keyMigrations, [requestsRetention(config.requestsKeptMs)]);
  const pools: PeerPool[] = [];
  const behind = PEERS.flatMap(([name, services]) => {
    const pool = createPeerPool(config.peers[name], identity);
    pools.push(pool);
    return services.map((service): Behind => {
      const ready = peerHealth(pool, service.typeName, config.healthTtlMs);
      return { service, pool, ready };
    });
  });
  const server = await startRpcServer({
    host: config.host,
    port: config.port,
    services: [...behind.map(({ service }) => service), KeyService],
    routes: (router) => {
      for (const { service, pool } of behind) forwardRoutes(service, pool)(router);
      const { sealer } = config;
      keyRoutes({ db, store: createKeyStore(db), sealer, now: () => new Date() })(router);
    },
    reasons: edgeReasons,
    log,
    security: platform.security,
    origins: config.origins,
    validate: false,
    http: await plainPaths(config, platform),
    overload: {},
    ready: async () => {
      await Promise.all(behind.map(({ ready }) => ready()));
    },
    readyOf: async (name) => {
      await behind.find(({ service }) => service.typeName === name)?.ready();
    },
  });
  return {
    name: "edge",
    address: server.address,
    async [Symbol.asyncDispose]() {
      await server.close();
      for (const pool of pools) pool[Symbol.dispose]();
    },
  };
};
