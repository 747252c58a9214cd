import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import {
  type Health,
  HealthCheckResponse_ServingStatus as Status,
} from "#gen/grpc/health/v1/health_pb.ts";

/** How long a readiness check may take before it counts as failed, in milliseconds. */
const READY_MS = 2_000;
/** How often a watched status is looked at, in milliseconds. */
const WATCH_MS = 1_000;
/** How long the news that the server stops may take to reach its watchers, in milliseconds. */
const FAREWELL_MS = 200;

/** Whether the services of a port can work. */
export interface HealthState {
  /** Asks the services' own check, or that of one service by name; false once `stop` was called. */
  serving(service?: string): Promise<boolean>;
  /** Says NOT_SERVING from now on and waits until watchers were told, 200 ms at most. */
  stop(): Promise<void>;
  /** Waits for `stop`, or until the status may have changed. */
  changed(signal: AbortSignal): Promise<void>;
  /** Counts a watcher that has to be told. */
  watch(): { told(): void };
}

/** `ready` throws when the services cannot work now; `readyOf` says it of one, where that differs from the port. */
export function createHealthState(
  ready: () => Promise<void>,
  readyOf?: (service: string) => Promise<void>,
): HealthState {
  const stopping = Promise.withResolvers<void>();
  const watchers = new Set<Promise<void>>();
  let stopped = false;
  const asking = new Map<string, Promise<boolean>>();
  // Many probes at once are one question to the database.
  const ask = (name: string): Promise<boolean> => {
    const asked = asking.get(name);
    if (asked !== undefined) return asked;
    const check = name === "" || readyOf === undefined ? ready : () => readyOf(name);
    const answer = answersInTime(check).finally(() => asking.delete(name));
    asking.set(name, answer);
    return answer;
  };
  return {
    serving: async (service = "") =>
      !stopped && (await ask(readyOf === undefined ? "" : service)) && !stopped,
    async stop() {
      stopped = true;
      stopping.resolve();
      await Promise.race([Promise.all(watchers), delay(FAREWELL_MS)]);
    },
    // Once stopped nothing changes any more: only the end of the call is left to wait for.
    changed: (signal) =>
      stopped ? ended(signal) : Promise.race([stopping.promise, delay(WATCH_MS, signal)]),
    watch() {
      const { promise, resolve } = Promise.withResolvers<void>();
      watchers.add(promise);
      promise.then(() => watchers.delete(promise));
      return { told: resolve };
    },
  };
}

/** The standard health service: the status of the port under "", and of each service under its name. */
export function healthService(
  services: readonly DescService[],
  state: HealthState,
): ServiceImpl<typeof Health> {
  const names = new Set(["", ...services.map((service) => service.typeName)]);
  const status = async (service: string): Promise<Status> =>
    (await state.serving(service)) ? Status.SERVING : Status.NOT_SERVING;
  return {
    async check({ service }) {
      if (!names.has(service)) throw new ConnectError(`unknown service: ${service}`, Code.NotFound);
      return { status: await status(service) };
    },
    async list() {
      const asked = [...names].map(async (name) => [name, { status: await status(name) }] as const);
      return { statuses: Object.fromEntries(await Promise.all(asked)) };
    },
    async *watch({ service }, context: HandlerContext) {
      const watcher = state.watch();
      try {
        let last: Status | undefined;
        while (!context.signal.aborted) {
          const now = names.has(service) ? await status(service) : Status.SERVICE_UNKNOWN;
          if (now !== last) yield { status: now };
          last = now;
          if (now === Status.NOT_SERVING) watcher.told();
          await state.changed(context.signal);
        }
      } finally {
        watcher.told();
      }
    },
  };
}

async function answersInTime(ready: () => Promise<void>): Promise<boolean> {
  try {
    return await Promise.race([ready().then(() => true), delay(READY_MS).then(() => false)]);
  } catch {
    return false;
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Resolves after the time or when the signal is aborted; never keeps the process alive. */
function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms).unref();
    signal?.addEventListener("abort", done);
  });
}
