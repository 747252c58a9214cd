import type { BaseConfig, Env, ServiceName } from "#kit/config.ts";
import type { Platform } from "#kit/platform.ts";
import type { RunningService, StartService } from "#kit/service.ts";

/** A service whose code is loaded; starting it reads its settings from `env`. */
export type LoadedService = (env: Env, platform: Platform) => Promise<RunningService>;

/** How each service's code is loaded: lazily, so that a split stack loads none of it. */
const SERVICES: Readonly<Record<ServiceName, () => Promise<LoadedService>>> = {
  account: async () => {
    const [{ readAccountConfig }, { startAccountService }] = await Promise.all([
      import("#services/account/config.ts"),
      import("#services/account/service.ts"),
    ]);
    return bind(readAccountConfig, startAccountService);
  },
  fraud: async () => {
    const [{ readFraudConfig }, { startFraudService }] = await Promise.all([
      import("#services/fraud/config.ts"),
      import("#services/fraud/service.ts"),
    ]);
    return bind(readFraudConfig, startFraudService);
  },
  payment: async () => {
    const [{ readPaymentConfig }, { startPaymentService }] = await Promise.all([
      import("#services/payment/config.ts"),
      import("#services/payment/service.ts"),
    ]);
    return bind(readPaymentConfig, startPaymentService);
  },
  notification: async () => {
    const [{ readNotificationConfig }, { startNotificationService }] = await Promise.all([
      import("#services/notification/config.ts"),
      import("#services/notification/service.ts"),
    ]);
    return bind(readNotificationConfig, startNotificationService);
  },
  reporting: async () => {
    const [{ readReportingConfig }, { startReportingService }] = await Promise.all([
      import("#services/reporting/config.ts"),
      import("#services/reporting/service.ts"),
    ]);
    return bind(readReportingConfig, startReportingService);
  },
  gateway: async () => {
    const [{ readGatewayConfig }, { startGatewayService }] = await Promise.all([
      import("#services/gateway/config.ts"),
      import("#services/gateway/service.ts"),
    ]);
    return bind(readGatewayConfig, startGatewayService);
  },
  edge: async () => {
    const [{ readEdgeConfig }, { startEdgeService }] = await Promise.all([
      import("#services/edge/config.ts"),
      import("#services/edge/service.ts"),
    ]);
    return bind(readEdgeConfig, startEdgeService);
  },
};

function bind<C extends BaseConfig>(
  readConfig: (env: Env) => C,
  start: StartService<C>,
): LoadedService {
  return (env, platform) => start(readConfig(env), platform);
}

/** The services a stack runs, in the order they are shown. */
export const SERVICE_NAMES = [
  "edge",
  "account",
  "fraud",
  "notification",
  "payment",
  "reporting",
  "gateway",
] as const satisfies readonly ServiceName[];

/** Loads the code of every service; nothing is started. */
export async function loadServices(): Promise<ReadonlyMap<ServiceName, LoadedService>> {
  const loaded = await Promise.all(
    SERVICE_NAMES.map(async (name) => [name, await SERVICES[name]()] as const),
  );
  return new Map(loaded);
}
