import type { ServiceName } from "#kit/config.ts";

/** All services of a stack, running. */
export interface ServiceGroup {
  /** `host:port` of each. */
  readonly addresses: Readonly<Partial<Record<ServiceName, string>>>;
  /** Settles with a sentence when a service ended by itself; never otherwise. */
  readonly failed: Promise<string>;
  /** The entry first, so that nothing new begins; then those it calls. */
  stop(): Promise<void>;
  /** At once, without farewell. */
  kill(): void;
}

/** Payment calls all others: it goes first, and the rest can go together after it. */
export const STOP_ORDER: readonly (readonly ServiceName[])[] = [
  ["payment", "reporting"],
  ["gateway", "fraud", "notification"],
  ["account"],
];
