import type { DescService } from "@bufbuild/protobuf";
import type { Payment } from "#gen/payment/v1/payment_pb.ts";
import { checkCredential, readBaseUrl } from "./base-url.ts";
import type { OpenTransport } from "./open-transport.ts";
import { DEFAULT_RETRY, DEFAULT_TIMEOUT_MS, type SettleClientOptions } from "./options.ts";
import { createServiceClient, type ServiceClient } from "./service-client.ts";
import { type ClientServiceName, SERVICES } from "./services.ts";
import { type WatchOptions, watchPayment } from "./watch.ts";

/** Every service of Settle over one connection; close it when done. */
export type SettleClient = {
  readonly [N in ClientServiceName]: ServiceClient<(typeof SERVICES)[N]>;
} & {
  /** A payment after each change until it is final, over lost connections and restarts. */
  watchPayment(paymentId: string, options?: WatchOptions): AsyncGenerator<Payment>;
  /** Ends the connections; calls that run fail as CANCELED. */
  close(): void;
} & Disposable;

/** How a connection is opened: differs between Node and browsers. */
export type Open = (baseUrl: string, options: SettleClientOptions) => OpenTransport;

/** A client over connections that `openTransport` opens, one for each address. */
export function createClientOver(openTransport: Open, options: SettleClientOptions): SettleClient {
  checkCredential(options.apiKey);
  const open = new Map<string, OpenTransport>();
  const policy = { ...DEFAULT_RETRY, ...options.retry };
  const defaults = { policy, timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS };
  const client = <S extends DescService>(name: ClientServiceName, service: S) => {
    const own = options.services?.[name];
    const baseUrl =
      own === undefined
        ? readBaseUrl("baseUrl", options.baseUrl)
        : readBaseUrl(`services.${name}`, own);
    const opened = open.get(baseUrl) ?? openTransport(baseUrl, options);
    open.set(baseUrl, opened);
    return createServiceClient(service, opened.transport, defaults);
  };
  const payment = client("payment", SERVICES.payment);
  const close = (): void => {
    for (const transport of open.values()) transport.close();
  };
  return {
    payment,
    account: client("account", SERVICES.account),
    fraud: client("fraud", SERVICES.fraud),
    notification: client("notification", SERVICES.notification),
    webhooks: client("webhooks", SERVICES.webhooks),
    gateway: client("gateway", SERVICES.gateway),
    reporting: client("reporting", SERVICES.reporting),
    keys: client("keys", SERVICES.keys),
    watchPayment: (paymentId, watch) => watchPayment(payment.watch, policy, paymentId, watch),
    close,
    [Symbol.dispose]: close,
  };
}
