import type { Platform } from "./platform.ts";

/** A running service. Disposing drains it: NOT_SERVING, finish what runs, then close. */
export interface RunningService extends AsyncDisposable {
  readonly name: string;
  /** `host:port` it listens on. */
  readonly address: string;
}

/** How every service is started, alone or together with others in one process. */
export type StartService<C> = (config: C, platform: Platform) => Promise<RunningService>;
