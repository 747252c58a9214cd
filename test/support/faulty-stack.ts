import { once } from "node:events";
import { createServer, type ServerHttp2Session } from "node:http2";
import type { DescMessage, DescMethodUnary, DescService } from "@bufbuild/protobuf";
import { ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter, createGrpcTransport } from "@connectrpc/connect-node";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import { NotificationService } from "#gen/notification/v1/notification_pb.ts";
import type { Env, ServiceName } from "#kit/config.ts";
import { TENANT_HEADER } from "#kit/rpc/context.ts";
import { faults } from "./faults.ts";
import { type Stack, startStack } from "./stack.ts";

const PEERS = {
  account: AccountService,
  fraud: FraudService,
  notification: NotificationService,
  gateway: GatewayService,
} as const satisfies Partial<Record<ServiceName, DescService>>;

/**
 * A stack whose services reach each other through forwarders that obey `faults`. A test file that wants the peers' own workers
 * to meet them too also replaces `createLocalPeer`, by which a worker calls its own service in memory:
 * `vi.mock("#kit/rpc/local.ts", faultyLocalPeers)` with `faultyLocalPeers` imported inside the factory.
 */
export async function startFaultyStack(env: Env = {}): Promise<Stack> {
  const addresses = new Map<string, string>();
  const forwarders = await Promise.all(
    Object.entries(PEERS).map(async ([name, service]) => {
      const forwarder = await startForwarder(service, () => `http://${addresses.get(name)}`);
      return { name, ...forwarder };
    }),
  );
  const urls = forwarders.map(({ name, url }) => [`SETTLE_URL_${name.toUpperCase()}`, url]);
  const stack = await startStack({ ...Object.fromEntries(urls), ...env });
  for (const [name, address] of Object.entries(stack.addresses)) addresses.set(name, address);
  return {
    ...stack,
    async [Symbol.asyncDispose]() {
      faults.end();
      await stack[Symbol.asyncDispose]();
      for (const { close } of forwarders) close();
    },
  };
}

/** The module `kit/rpc/local.ts` with clients that obey `faults`. */
export async function faultyLocalPeers(
  original: () => Promise<typeof import("#kit/rpc/local.ts")>,
): Promise<typeof import("#kit/rpc/local.ts")> {
  const { createLocalPeer } = await original();
  return {
    createLocalPeer: (service, routes, reasons) =>
      faults.watch(createLocalPeer(service, routes, reasons)),
  };
}

async function startForwarder(
  service: DescService,
  targetUrl: () => string,
): Promise<{ readonly url: string; close(): void }> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer(
    connectNodeAdapter({ routes: (router) => forward(router, service, targetUrl) }),
  );
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close() {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}

/** Answers each method by calling the real service, with the tenant and the caller's remaining time. */
function forward(router: ConnectRouter, service: DescService, targetUrl: () => string): void {
  let transport: ReturnType<typeof createGrpcTransport> | undefined;
  for (const method of service.methods) {
    if (!isUnary(method)) continue;
    router.rpc(method, (request, context) => {
      transport ??= createGrpcTransport({ baseUrl: targetUrl() });
      const real = transport;
      const tenant = context.requestHeader.get(TENANT_HEADER);
      const header = tenant === null ? {} : { [TENANT_HEADER]: tenant };
      const call = async () => {
        const timeoutMs = context.timeoutMs();
        const { message } = await real.unary(method, context.signal, timeoutMs, header, request);
        return message;
      };
      return faults.meet(method.name, request, () => call().catch(passOn), context.signal);
    });
  }
}

function isUnary(method: DescService["methods"][number]): method is DescMethodUnary & {
  readonly input: DescMessage;
  readonly output: DescMessage;
} {
  return method.methodKind === "unary";
}

/** The real error as it is, without the headers it came with. */
function passOn(error: unknown): never {
  const real = ConnectError.from(error);
  const same = new ConnectError(real.rawMessage, real.code);
  same.details = real.details;
  throw same;
}
