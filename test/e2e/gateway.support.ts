import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { MongoClient } from "mongodb";
import { PaymentMethod_Mock_Behaviour as Behaviour } from "#gen/common/v1/payment_method_pb.ts";
import { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { createPlatform } from "#kit/platform.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { readGatewayConfig } from "#services/gateway/config.ts";
import type { GatewayCallback } from "#services/gateway/contract.ts";
import { startGatewayService } from "#services/gateway/service.ts";
import { freshPrefix, mongoUri } from "#test/support/env.ts";

/** The secret the gateways of these tests sign with. */
export const SECRET = "a secret of these tests only";

export { Behaviour };

/** What arrived at the merchant's endpoint. */
export interface Arrival {
  readonly headers: IncomingHttpHeaders;
  readonly rawBody: Buffer;
  readonly body: GatewayCallback;
  readonly status: number;
}

/** The merchant's endpoint: an HTTP server that records what arrives and answers as it is told. */
export interface Merchant extends AsyncDisposable {
  readonly url: string;
  readonly arrivals: Arrival[];
  /** What arrived for one authorisation. */
  of(authorizationKey: string): Arrival[];
  /** Decides the status of each answer. */
  answer: (callback: GatewayCallback) => number;
}

/** Opens a merchant's endpoint on a free port. */
export async function startMerchant(): Promise<Merchant> {
  const arrivals: Arrival[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const rawBody = Buffer.concat(chunks);
    const body: GatewayCallback = JSON.parse(rawBody.toString());
    const status = merchant.answer(body);
    arrivals.push({ headers: request.headers, rawBody, body, status });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const merchant: Merchant = {
    url: `http://127.0.0.1:${port}/callbacks/gateway/mock`,
    arrivals,
    of: (key) => arrivals.filter((arrival) => arrival.body.authorization_key === key),
    answer: () => 200,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return merchant;
}

/** A gateway on a free port with a client of it. */
export interface RunningGateway extends AsyncDisposable {
  readonly client: Client<typeof GatewayService>;
  readonly address: string;
}

/** Starts a gateway over real gRPC and a real database. Delays are short; `env` overrides. */
export async function startGateway(
  prefix: string,
  env: Record<string, string> = {},
): Promise<RunningGateway> {
  const config = readGatewayConfig({
    MONGODB_URI: mongoUri(),
    SETTLE_DATABASE_PREFIX: prefix,
    SETTLE_PORT_GATEWAY: "0",
    SETTLE_LOG_LEVEL: "silent",
    SETTLE_GATEWAY_SECRET: SECRET,
    SETTLE_GATEWAY_CALLBACK_DELAY: "50ms",
    SETTLE_GATEWAY_LATE_CALLBACK_DELAY: "600ms",
    ...env,
  });
  const platform = createPlatform(config);
  const service = await startGatewayService(config, platform);
  const baseUrl = `http://${service.address}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  const transport = createGrpcTransport({ baseUrl, sessionManager });
  return {
    client: createClient(GatewayService, transport),
    address: service.address,
    async [Symbol.asyncDispose]() {
      sessionManager.abort();
      await service[Symbol.asyncDispose]();
      await platform[Symbol.asyncDispose]();
    },
  };
}

/** Drops what the gateways of a test file have written. */
export async function dropBook(prefix: string): Promise<void> {
  const client = await MongoClient.connect(mongoUri());
  await client.db(`${prefix}_gateway`).dropDatabase();
  await client.close();
}

/** A book of one test's own; dropped at its end, also when it fails. */
export function ownBook(): { readonly prefix: string } & AsyncDisposable {
  const prefix = freshPrefix();
  return { prefix, [Symbol.asyncDispose]: () => dropBook(prefix) };
}

/** An Authorize request of 12.50 USD. */
export function order(key: string, behaviour: Behaviour = Behaviour.OK, flakyAttempts = 0) {
  return {
    idempotencyKey: key,
    merchantReference: `payment-of-${key}`,
    amount: { currencyCode: "USD", minorUnits: 1250n },
    paymentMethod: {
      method: { case: "mock" as const, value: { behaviour, flakyAttempts } },
    },
  };
}

/** Minor units of US dollars. */
export function usd(minorUnits: bigint) {
  return { currencyCode: "USD", minorUnits };
}

/** The stable reason of a refused call; fails when the call was answered. */
export async function reasonOfCall(call: Promise<unknown>): Promise<string | undefined> {
  const error = await call.then(
    () => {
      throw new Error("the call was answered");
    },
    (refused: unknown) => refused,
  );
  const reason = reasonOf(error);
  if (reason === undefined) throw error;
  return reason;
}
