import type { ServiceName } from "#kit/config.ts";

/** All services of a stack, running. */
export interface ServiceGroup {
  /** Settles with a sentence when a service ended by itself; never otherwise. */
  readonly failed: Promise<string>;
  /** The entry first, so that nothing new begins; then those it calls. */
  stop(): Promise<void>;
  /** At once, without farewell. */
  kill(): void;
}

/** The edge goes first, since all come through it; then payment, which calls all others; then the rest. */
export const STOP_ORDER: readonly (readonly ServiceName[])[] = [
  ["edge"],
  ["payment", "reporting"],
  ["gateway", "fraud", "notification"],
  ["account"],
];
